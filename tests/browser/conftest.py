"""Launches the Chromium that was found, and lets no test pass over an error in the console."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, expect

from tests.browser import chromium
from tests.browser.host import Host, running_host
from tests.browser.reader import Reader
from tests.browser.snippets import LISTEN, Landing
from tests.factories import Account
from tests.live import Live

# What never comes is found out later; what comes late on a slow machine is no fault.
expect.set_options(timeout=20_000)

# Chromium on its own calls home and tries QUIC, which a closed network turns into noise and waiting.
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.NONE_FOUND, pytrace=False)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root.
    return {**browser_type_launch_args, "executable_path": path, "args": [*QUIET, *sandbox]}


@pytest.fixture(scope="session")
def base_url() -> None:
    """In place of pytest-playwright's, whose form pytest 9.2 warns about, and a warning is an error here."""


@pytest.fixture
def expected_console() -> list[str]:
    """Regular expressions of the console errors that are part of the test, for it to append to."""
    return []


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], expected_console: list[str]
) -> Iterator[Callable[..., BrowserContext]]:
    """pytest-playwright's own, with ears; its `context` and `page` are made here too."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location['url']})")

    def listening(**arguments: Any) -> BrowserContext:
        context = new_context(**arguments)
        context.on("console", on_console)
        context.on("weberror", lambda failure: errors.append(f"uncaught {failure.error}"))
        contexts.append(context)
        return context

    yield listening
    for page in (page for context in contexts for page in context.pages):
        with suppress(Error):  # It may just be on its way to another address.
            page.evaluate("0")  # What it logged before this answer has then arrived.
    unexpected = [e for e in errors if not any(re.search(pattern, e) for pattern in expected_console)]
    if unexpected:
        pytest.fail("errors in the console:\n" + "\n".join(unexpected), pytrace=False)


@pytest.fixture
def reader(new_context: Callable[..., BrowserContext], live: Live) -> Iterator[Reader]:
    """A reader of the docs, whose browser may ask nobody but our server."""
    context = new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
    reader = Reader(context.new_page(), live)
    context.on("console", reader.on_console)
    context.on("request", reader.on_request)
    yield reader
    assert reader.strangers() == []


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The customer's web site: another port, so another origin than the API's."""
    with running_host() as host:
        yield host


@pytest.fixture
def landing(page: Page, host: Host, live: Live, account: Account, expected_console: list[str]) -> Landing:
    """A visitor with an empty browser on the customer's site."""
    landing = Landing(page, host, live, account, expected_console)
    page.context.on("request", landing.on_request)
    page.add_init_script(LISTEN)
    return landing


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Finds what is not accessible."""
    return Axe()
