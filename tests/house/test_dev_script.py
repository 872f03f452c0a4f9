"""What ./dev does for someone who runs it, tried on a small project with real virtualenvs and pip."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

DEV = Path(__file__).resolve().parents[2] / "dev"

# A build backend inside the project needs nothing from the network, and can count what pip asked of it.
BACKEND = """
import pathlib, time, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with open("installs", "a") as installs:
        installs.write("x")
    while pathlib.Path("hang").exists():
        time.sleep(0.05)
    if pathlib.Path("fail").exists():
        raise SystemExit("the backend is unwell")
    info = "small-1.dist-info"
    metadata = "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\nProvides-Extra: test\\n"
    with zipfile.ZipFile(f"{wheel_directory}/small-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "small-1-py3-none-any.whl"

def get_requires_for_build_editable(config_settings=None):
    return []
"""

# Stands for flask, pytest and the rest, and tells how it was run.
PROGRAM = """
import json, os, sys
told = {"arguments": sys.argv[1:], "prefix": sys.prefix, "cwd": os.getcwd()}
told |= {"browser": os.environ.get("HANDRAISER_TEST_BROWSER"), "compiles_each_time": sys.dont_write_bytecode}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    shutil.copy(DEV, folder)
    for name, text in {
        "setup.cfg": "[metadata]\nname = small\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "flask.py": PROGRAM,
        "pytest.py": PROGRAM,
        "server/serve.py": PROGRAM,
        "tests/bench.py": PROGRAM,
        "tests/unit/test_small.py": "",
        "tests/browser/chromium.py": "print('/found/chromium')",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def start(project: Path, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "HANDRAISER_TEST_BROWSER"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.Popen(
        [sys.executable, project / "dev", *arguments],
        cwd=cwd or project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(project: Path, *arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    process = start(project, *arguments, cwd=cwd)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def told(project: Path, *arguments: str, cwd: Path | None = None) -> dict[str, Any]:
    """What the program that ./dev ran says of how it was run."""
    code, out, err = run(project, *arguments, cwd=cwd)
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def installs(project: Path) -> int:
    count = project / "installs"
    return len(count.read_text()) if count.exists() else 0


def edit(project: Path) -> None:
    with (project / "setup.cfg").open("a") as settings:
        settings.write("# edited\n")


@pytest.fixture(scope="module")
def installed(project: Path) -> Path:
    told(project, "flask")
    return project


def test_the_first_run_installs_and_the_next_one_has_nothing_to_do_or_say(installed: Path) -> None:
    before = installs(installed)
    assert before == 1
    code, out, err = run(installed, "flask", "routes")
    assert (code, err, installs(installed)) == (0, "", before)
    assert json.loads(out)["arguments"] == ["--app", "server.cli", "routes"]
    assert json.loads(out)["prefix"] == str(installed / ".venv")


def test_a_changed_setup_cfg_is_installed_once(installed: Path) -> None:
    before = installs(installed)
    edit(installed)
    told(installed, "flask")
    told(installed, "flask")
    assert installs(installed) == before + 1


def test_an_install_that_was_killed_is_repeated(installed: Path) -> None:
    before = installs(installed)
    edit(installed)
    (installed / "hang").touch()
    process = start(installed, "flask")
    deadline = time.monotonic() + 30
    while installs(installed) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (installed / "hang").unlink()
    told(installed, "flask")
    assert installs(installed) == before + 2


def test_an_install_that_fails_shows_what_pip_said_and_is_repeated(installed: Path) -> None:
    edit(installed)
    (installed / "fail").touch()
    code, out, err = run(installed, "flask")
    (installed / "fail").unlink()
    assert (code, out) == (1, "")
    assert "the backend is unwell" in err
    assert "pip could not install what setup.cfg asks for" in err
    told(installed, "flask")


def test_only_browser_tests_are_given_a_browser(installed: Path) -> None:
    assert told(installed, "test", "--long")["browser"] == "/found/chromium"
    before = installs(installed)
    assert told(installed, "test", "tests/browser/chromium.py::test_x")["browser"] == "/found/chromium"
    assert told(installed, "test", "tests/unit", "tests")["browser"] == "/found/chromium"
    assert told(installed, "test", "tests/unit/test_small.py::test_x", "-x")["browser"] is None
    assert told(installed, "serve", "--port", "1")["browser"] is None
    assert installs(installed) == before, "what the tests need holds for the server as well"


def test_a_benchmark_without_a_name_is_the_one_of_intake(installed: Path) -> None:
    assert told(installed, "bench")["arguments"] == ["intake"]
    assert told(installed, "bench", "--seconds", "3")["arguments"] == ["intake", "--seconds", "3"]
    assert told(installed, "bench", "reports", "9")["arguments"] == ["reports", "9"]


def test_it_runs_in_the_projects_folder_wherever_it_is_called(installed: Path, tmp_path: Path) -> None:
    assert told(installed, "demo", "--json", cwd=tmp_path) == {
        "arguments": ["--app", "server.cli", "demo", "--json"],
        "prefix": str(installed / ".venv"),
        "cwd": str(installed),
        "browser": None,
        "compiles_each_time": True,
    }


def test_a_moved_project_gets_a_new_virtualenv_and_of_two_at_once_only_one_makes_it(
    installed: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(installed, tmp_path / "moved", symlinks=True)
    before = installs(moved)
    pair = [start(moved, "flask"), start(moved, "flask")]
    for process in pair:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out)["prefix"] == str(moved / ".venv")
    assert installs(moved) == before + 1
    assert str(moved) in (moved / ".venv" / "bin" / "pip").read_text().splitlines()[0]


def test_an_unknown_command_is_refused_with_the_help(project: Path) -> None:
    code, out, err = run(project, "fly")
    assert (code, out) == (2, "")
    assert "no command 'fly'" in err
    assert "usage: ./dev" in err


def test_without_a_command_it_shows_the_help(project: Path) -> None:
    code, out, err = run(project)
    assert (code, err) == (0, "")
    assert "usage: ./dev" in out


def test_only_tests_keep_what_python_has_compiled_whatever_the_user_wants(installed: Path) -> None:
    assert told(installed, "test", "tests/unit")["compiles_each_time"] is False
    assert told(installed, "serve")["compiles_each_time"] is True
