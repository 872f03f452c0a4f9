"""Finds a Chromium for the browser tests, or installs one; as a command it prints the path."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

NONE_FOUND = """\
The browser tests need a Chromium, and none could be found or installed. One of these helps:
  - install your system's package of Chromium (chromium-headless-shell does) or Google Chrome,
  - run: .venv/bin/python -m playwright install chromium
  - name one: HANDRAISER_TEST_BROWSER=/path/to/chromium ./dev test
To run the other tests only, name them: ./dev test tests/unit"""


def find() -> str | None:
    named = os.environ.get("HANDRAISER_TEST_BROWSER")
    return named or playwrights_own() or on_path()


def playwrights_own() -> str | None:
    """The build made for this Playwright, when it was downloaded before."""
    # In a process of its own, for inside a test Playwright's event loop may be running already.
    ask = "import playwright.sync_api as p\nwith p.sync_playwright() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True, check=True)
    path = done.stdout.strip()
    return path if Path(path).exists() else None


def on_path() -> str | None:
    # The shell first: the same engine without Chrome's profiles and panels, which cost half a second a test.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def install() -> None:
    """Try the system's package first, then Playwright's download; exits with advice when neither helps."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install_package()
    if not find():
        download()
    if not find():
        sys.exit(NONE_FOUND)


def install_package() -> None:
    print("Installing the package of Chromium for the browser tests ...", file=sys.stderr, flush=True)
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    # Debian has the shell in a package of its own; where there is none, the whole browser will do.
    for command in (["update"], ["install", "-y", "chromium-headless-shell"], ["install", "-y", "chromium"]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*apt, *command], env=environment, stdout=subprocess.DEVNULL, check=False)
        if find():
            return


def download(seconds: int = 60) -> None:
    print("Downloading Playwright's Chromium for the browser tests ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    # A group of its own, so that the limit ends the downloader that Playwright starts as well.
    with subprocess.Popen(command, stdout=sys.stderr, start_new_session=True) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"The download did not finish within {seconds} seconds.", file=sys.stderr)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    if not find():
        install()
    print(find())
