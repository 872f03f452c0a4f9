"""The examples for pages, pasted into one, in real Chromium: what arrives is what the samples hold."""

import pytest
from playwright.sync_api import Page

from server.docs.languages import LANGUAGES
from tests.browser.host import running_host
from tests.docs.samples import arrived, samples, to_arrive
from tests.factories import Account
from tests.live import Live
from tests.npm import package_file

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Pasted</title>\n'
FOR_PAGES = [language for language in LANGUAGES if language.key in ("jquery", "fetch")]

# Chromium asks for one on its own where it shows JSON as a page.
FAVICON = r"status of 404 .*/favicon\.ico"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("place", ["same origin", "another origin"])
def test_what_a_sample_holds_arrives_from_a_page(
    page: Page, live: Live, account: Account, expected_console: list[str], place: str
) -> None:
    # A token each, of which each has its own keys against repeats.
    sent = [(each, samples(account.token(kind="publishable", name=each.name), each.key)) for each in FOR_PAGES]
    # Plain scripts: neither modules nor handlers, and each ends where HTML finds its end.
    codes = [jquery(), *(language.write(sample, live.url) for language, some in sent for sample in some.values())]
    html = HEAD + "".join(f"<script>\n{code}</script>\n" for code in codes)
    logged: list[str] = []
    page.on("console", lambda message: logged.append(message.type))
    with running_host() as host:
        if place == "same origin":
            expected_console.append(FAVICON)
            page.goto(f"{live.url}/healthz")
            page.set_content(html, wait_until="networkidle")
        else:
            page.goto(host.put("/page.html", html.encode()), wait_until="networkidle")
    assert logged.count("log") == sum(len(some) for _, some in sent)
    assert arrived(account) == {name: to_arrive(sample) for _, some in sent for name, sample in some.items()}


def jquery() -> str:
    """The library as a page has it."""
    return package_file("jquery", "3.7.1", "dist/jquery.min.js").read_text(encoding="utf-8")
