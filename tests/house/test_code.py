"""The code keeps the house's rules: layers, types, style, and who may commit."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.config import PROJECT

# The edge commits, once: sessions in one place, the hot path in its two writers.
MAY_COMMIT = {"server/lib/db.py", "server/lib/group_commit.py", "server/lib/postgres_ledger.py"}


@pytest.mark.parametrize(
    "tool",
    [
        ["importlinter.cli", "lint-imports", "--no-cache"],
        ["mypy"],
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
    ],
    ids=["layers", "types", "lint", "format"],
)
def test_the_tools_have_nothing_to_say(tool: list[str]) -> None:
    run = subprocess.run([sys.executable, "-m", *tool], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def modules() -> list[Path]:
    return sorted((PROJECT / "server").rglob("*.py"))


def test_only_the_edge_commits() -> None:
    commits = re.compile(r"\.commit\(\)|[\"']commit[\"']")
    found = {str(path.relative_to(PROJECT)) for path in modules() if commits.search(path.read_text())}
    assert found == MAY_COMMIT


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path in modules() if not path.read_text().startswith('"""')]
    assert silent == []


def test_time_comes_from_the_clock() -> None:
    asks = re.compile(r"datetime\.(?:now|utcnow|today)\(")
    found = {path.name for path in modules() if asks.search(path.read_text())}
    assert found == {"clock.py"}
