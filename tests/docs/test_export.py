"""A copy of the docs on a disk: every page is there, and every link leads to something in it."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from server.docs import site
from tests.docs.html import links_of

# The pages are made of no rows.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def copy(commands: FlaskCliRunner, tmp_path: Path) -> Path:
    result = commands.invoke(args=["docs", "export", str(tmp_path / "copy")])
    assert result.exit_code == 0, result.output
    return tmp_path / "copy"


def test_every_link_of_a_copy_leads_to_a_file_and_an_anchor_in_it(app: Flask, copy: Path) -> None:
    pages = {file: links_of(file.read_text(encoding="utf-8")) for file in copy.rglob("*.html")}
    with app.test_request_context():
        assert len(pages) == len([*site.every_path()]) > 100
    own = app.config["URL"]
    broken = []
    for file, links in pages.items():
        assert len(links.anchors) == len(set(links.anchors)), file
        for link in links.to:
            if link.startswith(("mailto:", own)):
                continue
            # Nothing of another host, and nothing that only a server at its root would find.
            assert not link.startswith("/"), (file, link)
            assert "//" not in link, (file, link)
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            if not target.is_file() or (anchor and unquote(anchor) not in pages[target].anchors):
                broken.append((str(file.relative_to(copy)), link))
    assert broken == []


def test_whatever_the_search_of_a_copy_finds_is_there(copy: Path) -> None:
    script = (copy / "static" / "search.js").read_text(encoding="utf-8")
    entries = json.loads(script.partition("=")[2].rstrip().removesuffix(";"))
    assert len(entries) > 500
    files = {page: copy / "1.0" / f"{page}.html" for page in {entry["page"] for entry in entries}}
    anchors = {page: {"", *links_of(file.read_text(encoding="utf-8")).anchors} for page, file in files.items()}
    lost = [(entry["page"], entry["anchor"]) for entry in entries if entry["anchor"] not in anchors[entry["page"]]]
    assert lost == []


def test_a_copy_is_not_written_over_what_is_there(commands: FlaskCliRunner, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = commands.invoke(args=["docs", "export", str(tmp_path)])
    assert result.exit_code != 0
    assert "is not empty" in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
