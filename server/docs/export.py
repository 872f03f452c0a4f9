"""`docs export`: the whole site as files that any host serves, or a disk, with relative links."""

from pathlib import Path

from flask import current_app

from server.docs import site
from server.docs.apipie import VERSION


def export(folder: Path) -> int:
    """How many pages were written."""
    paths = [*site.every_path()]
    for path in paths:
        write(folder / (f"{VERSION}/{path}.html" if path else "index.html"), site.render(reader_at(path), path) or "")
    for file in site.STATIC.iterdir():
        write(folder / "static" / file.name, file.read_text(encoding="utf-8"))
    write(folder / "static" / "search.js", site.searched(reader_at("")))
    return len(paths)


def reader_at(path: str) -> site.Site:
    """Who reads a page of a copy: its links lead to its neighbours."""
    base = "../" * (path.count("/") + 1) if path else ""
    return site.Site(
        base_url=current_app.config["URL"],
        base=base,
        index=f"{base}index.html",
        support_email=current_app.config["SUPPORT_EMAIL"],
        exported=True,
    )


def write(file: Path, text: str) -> None:
    """One file, whatever folders it needs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
