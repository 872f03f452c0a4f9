"""The files of the snippet as they are read and served: small, sound, and free of what a guest does not do."""

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from server.config import PROJECT
from server.consent.render import Shown
from server.demo import CONSENT, LINKS
from server.embed.build import packed
from server.embed.rules import Facts, Places, Text, configuration
from server.embed.script import with_configuration
from tests.browser.snippets import minified, one_language, script
from tests.npm import package_file

SNIPPET = PROJECT / "snippet"
SCRIPTS = {"handraiser.js": 430, "check.js": 300}
TEMPLATES = {"jquery.html": 60, "fetch.html": 60, "confirmation.html": 60, "no_javascript.html": 60}
STAMP = "2da9b0-fee95fe6d5576d2b01f62ad1495f92d7"
TOKEN = "pub_0123456789abcdef0123456789abcdef"
NOT_FOR_GUESTS = re.compile(
    r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|document\.cookie|localStorage"
)
INLINE = {"TOKEN", "CONSENT_LABEL", "CONSENT_TEXT", "CONSENT_LINKS", "THANK_YOU_PAGE", "DISCLOSURE"}
PLACEHOLDERS = {
    "jquery.html": INLINE,
    "fetch.html": INLINE,
    "no_javascript.html": INLINE,
    "confirmation.html": {"TOKEN"},
}


def test_with_the_demos_two_languages_it_is_no_bigger_than_four_kilobytes(told: list[str]) -> None:
    texts = tuple(
        Text(sha256(said["text"].encode()).hexdigest(), Shown(language, said["text"], said["label"], *LINKS.values()))
        for language, said in CONSENT.items()
    )
    assert len(texts) == 2
    facts = Facts(
        token=TOKEN,
        field_map={},
        parameters={},
        messages={},
        thank_you_url=None,
        allowed_redirects=[],
        carry=True,
        texts=texts,
    )
    known = configuration(facts, Places("https://leads.example.com", "/s", "/api/v1/leads"))
    size = len(packed(with_configuration(known | {"build": "3f9a1c2b7d4e", "stamp": STAMP})).br)
    told.append(f"{size} bytes by brotli, {len(minified())} minified without a configuration")
    assert size <= 4096


@pytest.mark.parametrize(("name", "lines"), (SCRIPTS | TEMPLATES).items())
def test_a_file_can_be_read_at_one_sitting(name: str, lines: int) -> None:
    text = (SNIPPET / name).read_text(encoding="utf-8").splitlines()
    assert len(text) <= lines
    # A regular expression cannot be broken.
    assert max(len(line) for line in text if not line.lstrip().startswith("/phone")) <= 120


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_does_nothing_that_a_guest_does_not_do(name: str) -> None:
    assert NOT_FOR_GUESTS.findall((SNIPPET / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_the_placeholders_that_are_filled_and_no_others(name: str) -> None:
    text = (SNIPPET / name).read_text(encoding="utf-8")
    assert set(re.findall(r"YOUR_([A-Z_]+)", text)) == PLACEHOLDERS[name]
    assert "https://your-domain.com/" in text


def run(*command: str | Path) -> str:
    """What a command of Node has to say; nothing where all is well."""
    node = shutil.which("node") or Path(sys.executable).parent / "node"
    done = subprocess.run([node, *map(str, command)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_types_that_the_scripts_declare_hold() -> None:
    compiler = package_file("typescript", "5.9.3", "lib/tsc.js")
    strict = [
        "--checkJs",
        "--allowJs",
        "--strict",
        "--noEmit",
        "--target",
        "es2018",
        "--lib",
        "es2018,dom,dom.iterable",
    ]
    assert run(compiler, *strict, *(SNIPPET / name for name in SCRIPTS)) == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_in_the_language_of_2018(name: str, tmp_path: Path) -> None:
    parser = package_file("acorn", "8.15.0", "bin/acorn")
    assert run(parser, "--ecma2018", "--silent", SNIPPET / name) == ""


def test_the_minified_script_is_in_the_language_of_2018(tmp_path: Path) -> None:
    parser = package_file("acorn", "8.15.0", "bin/acorn")
    served = tmp_path / "served.js"
    served.write_bytes(script(one_language(TOKEN, "https://leads.example.com")))
    assert run(parser, "--ecma2018", "--silent", served) == ""
