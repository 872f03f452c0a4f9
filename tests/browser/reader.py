"""Somebody who reads the docs in a browser, and what they copy from there run in a shell."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, Response

from tests.live import Live

DOCS = "/api/docs"


@dataclass
class Reader:
    """Somebody who reads the docs, and all that their browser grumbled about or asked of anybody."""

    page: Page
    live: Live
    grumbles: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.grumbles.append(f"{self.page.url}: {message.text}")

    def on_request(self, request: Request) -> None:
        self.asked.append(request.url)

    def address(self, path: str, anchor: str = "") -> str:
        """Where a page is."""
        page = f"/1.0/{path}.html" if path else ""
        return f"{self.live.url}{DOCS}{page}{anchor and f'#{anchor}'}"

    def open(self, path: str, anchor: str = "") -> Response:
        """Goes to a page; how the server answered."""
        answer = self.page.goto(self.address(path, anchor))
        assert answer is not None
        return answer

    def strangers(self) -> list[str]:
        """What was asked of another host."""
        return [each for each in self.asked if each.startswith("http") and not each.startswith(f"{self.live.url}/")]

    def clipboard(self) -> str:
        """What was copied last."""
        return str(self.page.evaluate("navigator.clipboard.readText()"))


def run(command: str, folder: Path) -> dict[str, Any]:
    """Runs a curl command as it was copied; what the API answered. Fails where that is not a 200."""
    (folder / ".curlrc").write_text("silent\nmax-time = 30\nfail-with-body\n")
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "CURL_HOME": str(folder)}
    done = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def violations(axe: Axe, page: Page, within: str | None = None, rules: list[str] | None = None) -> list[str]:
    """What axe finds on a page or within a part of it, one line for each rule; by all rules where none is named."""
    only = {"runOnly": rules} if rules else {}
    found = axe.run(page, context=within, options={"resultTypes": ["violations"]} | only).response["violations"]
    return [f"{page.url} {each['id']}: {[node['html'][:160] for node in each['nodes'][:4]]}" for each in found]
