"""The other engines: Firefox's and WebKit's, where Playwright can install them, do the same as Chromium, always."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Playwright

from tests.browser.host import Host
from tests.browser.sites import Site, with_sqlite
from tests.factories import Account
from tests.live import Live

# Seconds that a download may take.
PATIENCE = 60
STRICT = (
    "default-src 'none'; script-src {live}; connect-src {live}; style-src 'none'; form-action 'self';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The other engines are asked for by the long form: few machines have them, and not all can fetch them."""
    if "engine" in metafunc.fixturenames:
        others = ["firefox", "webkit"] if metafunc.config.getoption("--long") else []
        metafunc.parametrize("engine", ["chromium", *others], scope="module")


@pytest.fixture(scope="module")
def engines_browser(engine: str, playwright: Playwright, browser_type_launch_args: dict[str, Any]) -> Iterator[Any]:
    """A browser of that engine; None where there is none to be had."""
    launched = launch(engine, playwright, browser_type_launch_args)
    yield launched
    if launched is not None:
        launched.close()


def launch(engine: str, playwright: Playwright, arguments: dict[str, Any]) -> Browser | None:
    """Starts one that is there, or that Playwright can install."""
    if engine == "chromium":
        return playwright.chromium.launch(**arguments)
    kind = getattr(playwright, engine)
    with suppress(Error):
        return kind.launch()  # type: ignore[no-any-return]
    with suppress(subprocess.TimeoutExpired):
        command = [sys.executable, "-m", "playwright", "install", "--with-deps", engine]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
    with suppress(Error):
        return kind.launch()  # type: ignore[no-any-return]
    return None


@pytest.fixture
def site(engines_browser: Browser | None, host: Host, live: Live, account: Account) -> Iterator[Site]:
    """A visitor with an empty browser of that engine."""
    # Who asks for the long form asks for these engines: what was not seen is no success.
    assert engines_browser is not None, f"This engine is not here and could not be installed within {PATIENCE} s."
    with engines_browser.new_context() as context:
        yield Site(context.new_page(), host, live, account, [])


@with_sqlite
@pytest.mark.parametrize("policy", ["", STRICT], ids=["a plain page", "a page with a strict policy"])
def test_the_script_does_the_same_in_every_engine(engine: str, site: Site, policy: str, told: list[str]) -> None:
    policy = policy.format(live=site.live.url)
    site.open("simple.html", headers={"Content-Security-Policy": policy} if policy else {})
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    site.arrived()
    told.append(f"seen in {engine}")
