"""A visitor on a customer's landing page with the hosted script, which the customer's site serves for now."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import httpx
import minify
import pytest
from playwright.sync_api import Locator, Page, Request, expect

from server.config import PROJECT
from server.consent.stamp import make_stamp
from server.lib import clock
from tests.browser.host import Host
from tests.factories import Account
from tests.live import Live

ARGUMENT = '})({token:"YOUR_TOKEN",endpoint:"https://your-domain.com/api/v1/leads"})'
NUMBER = "+17195550142"

# What the server says in a language, as short as such texts are.
WORDS = {
    "en": {
        "consent": "Please tick the box to go on.",
        "sending": "Sending…",
        "sent": "Thank you. We will be in touch.",
        "refused": "Please check what you have entered.",
        "failed": "Please try again.",
        "phone": "Please enter a valid phone number",
    },
    "es": {
        "consent": "Marque la casilla para continuar.",
        "sending": "Enviando…",
        "sent": "Gracias. Le contactaremos.",
        "refused": "Revise los datos.",
        "failed": "Inténtelo de nuevo.",
        "phone": "Introduzca un teléfono válido",
    },
}
DISCLOSURES: dict[str, Any] = {
    "en": {
        "version": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "label": "Yes, contact me.",
        "text": "I agree that Acme Solar may call and text me about solar offers at the number that I gave, also with "
        "automated technology and with artificial or prerecorded voices. Consent is not a condition of any purchase. "
        "The frequency of messages varies, and message and data rates may apply. I can reply STOP at any time to opt "
        "out, or HELP to get help. I am the subscriber of this number, and I am at least 18 years old.",
        "links": [["Terms", "https://acme.example/terms"], ["Privacy policy", "https://acme.example/privacy"]],
    },
    "es": {
        "version": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "label": "Sí, contácteme.",
        "text": "Acepto que Acme Solar me llame y me envíe mensajes automatizados. No es condición de compra.",
        "links": [["Términos", "https://acme.example/terms"]],
    },
}
SHOWN = f"Yes, contact me. {DISCLOSURES['en']['text']} Terms Privacy policy"


def soon(look: Callable[[], list[Any]]) -> list[Any]:
    """What a look finds within a few seconds: nobody hears the answer to a beacon."""
    deadline = time.monotonic() + 10
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@cache
def minified() -> str:
    """The script as it is served, up to its configuration."""
    source = (PROJECT / "snippet" / "handraiser.js").read_text(encoding="utf-8")
    minify.config({"js-version": 2018})
    text = str(minify.string("application/javascript", source)).rstrip(";")
    assert text.endswith(ARGUMENT), text[-200:]
    return text.removesuffix(ARGUMENT)


def one_language(token: str, origin: str) -> dict[str, Any]:
    """A usual configuration."""
    return {
        "token": token,
        "endpoint": f"{origin}/api/v1/leads",
        "build": "3f9a1c2b7d4e",
        "check": f"{origin}/s/check.js",
        "stamp": "2da9b0-fee95fe6d5576d2b01f62ad1495f92d7",
        "language": "en",
        "languages": {"en": DISCLOSURES["en"]},
        "messages": {"en": WORDS["en"]},
    }


def script(config: dict[str, Any]) -> bytes:
    """The script with a configuration."""
    given = {name: value for name, value in config.items() if value is not None}
    return f"{minified()}}})({json.dumps(given, separators=(',', ':'))});".encode()


# What most pages have: a form that is found by its telephone field.
FORM = """
<form>
  <p><label>Phone <input type="tel" name="phone"></label></p>
  <p><label>ZIP <input name="zip"></label></p>
  <p><button>Send</button></p>
</form>"""

THANKS = b'<link rel="icon" href="data:,"><title>Thanks</title><h1>Thanks</h1>'

# What the page's own scripts hear of the lead, and what moves without the visitor's doing.
LISTEN = """
window.heard = [];
for (const name of ["sent", "refused", "failed"])
  document.addEventListener("lead:" + name, (event) => heard.push([name, event.detail, event.target.nodeName]));
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass
class Landing:
    """A visitor's browser, the customer's site and our server."""

    page: Page
    host: Host
    live: Live
    account: Account
    expected_console: list[str]
    requests: list[Request] = field(default_factory=list)

    def on_request(self, request: Request) -> None:
        """Keeps what the browser asks of anybody."""
        self.requests.append(request)

    @property
    def posts(self) -> list[Request]:
        """What was sent to our server."""
        return [each for each in self.requests if each.method == "POST" and each.url.startswith(self.live.url)]

    @property
    def said(self) -> dict[str, str]:
        """What was sent last."""
        return dict(parse_qsl(self.posts[-1].post_data or "", keep_blank_values=True))

    @property
    def lists(self) -> dict[str, list[str]]:
        """What was sent last, with every value of a name."""
        return parse_qs(self.posts[-1].post_data or "", keep_blank_values=True)

    def stamp(self, token: str) -> str:
        """What our own server would put into the file now: the site serves it as it came from there."""
        key = self.account.app.extensions["vault"].signing_key("stamp")
        return make_stamp(key, token, None, clock.now())

    def snippet_url(self, token: str = "", **config: Any) -> str:
        """Serves the script for a token; its address."""
        token = token or self.account.publishable_token
        whole = one_language(token, self.live.url) | {"stamp": self.stamp(token)} | config
        return self.host.put(f"/s/{token}.js", script(whole))

    def put(
        self, body: str = FORM, path: str = "/landing.html", head: str = "", lang: str = "en", **config: Any
    ) -> str:
        """Puts a page with the script on the customer's site; its address."""
        url = self.snippet_url(**config)
        html = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Offer</title>'
            f'<link rel="icon" href="data:,">{head}<script src="{url}" async></script></head>'
            f"<body><main><h1>Offer</h1>{body}</main></body></html>"
        )
        return self.host.put(path, html.encode())

    def open(self, body: str = FORM, query: str = "", **about: Any) -> None:
        """Visits a page and waits until the script is there."""
        self.page.goto(self.put(body, **about) + query)
        self.page.wait_for_function("window.handraiser")

    def fill(self, phone: str = NUMBER) -> None:
        """Fills in the usual form."""
        self.page.get_by_label("Phone").fill(phone)

    def agree(self) -> None:
        """Ticks the box that the script has drawn."""
        self.box.check()

    @property
    def box(self) -> Locator:
        """The consent box."""
        return self.page.get_by_role("checkbox", name="Yes, contact me.")

    @property
    def status(self) -> Locator:
        """Where the form says something."""
        return self.page.get_by_role("status")

    def send(self) -> None:
        """Presses the button."""
        self.page.get_by_role("button", name="Send").click()

    def heard(self, outcome: str) -> dict[str, Any]:
        """The answer that the page's own script was told."""
        self.page.wait_for_function("window.heard.length")
        [[name, answer, _]] = self.page.evaluate("heard")
        assert name == outcome
        return dict(answer)

    def sent(self) -> None:
        """Waits until the visitor is told that it has arrived."""
        expect(self.status).to_have_text(WORDS["en"]["sent"])

    def kept(self) -> list[str]:
        """What the browser keeps of the page."""
        kept = self.page.evaluate("[document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
        return [each for each in kept if each]

    def get(self, path: str, **params: str) -> Any:
        """What the API says to the owner."""
        answer = httpx.get(f"{self.live.url}/api/v1{path}", params=params, headers=self.account.bearer, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()


def answering(landing: Landing, status: int, **answer: Any) -> None:
    """Lets the browser's own network layer answer in the server's place."""
    landing.expected_console.append(f"Failed to load resource: .* status of {status}")
    headers = {"Access-Control-Allow-Origin": "*"}
    answer = {"success": status == 200, "status": status, "errors": {}} | answer
    landing.page.route("**/api/v1/leads", lambda route: route.fulfill(status=status, headers=headers, json=answer))


def agreed(landing: Landing, form: str = FORM, **about: Any) -> None:
    """A visitor who has filled in everything and ticked the box."""
    landing.open(form, **about)
    landing.fill()
    landing.agree()


def holding(landing: Landing, form: str = FORM, **about: Any) -> None:
    """A visitor who is about to send, in a browser whose clock we hold."""
    landing.expected_console.append("Failed to load resource")
    landing.page.clock.install()
    agreed(landing, form, **about)
    landing.page.clock.pause_at(time.time() + 60)
    landing.page.evaluate("window.begin = Date.now()")


def run_until(landing: Landing, condition: str) -> None:
    """Lets the browser's time run, twice as fast as ours: our server needs time that is its own to answer."""
    for _ in range(200):
        landing.page.clock.run_for(200)
        landing.page.wait_for_timeout(100)
        if landing.page.evaluate(condition):
            return
    pytest.fail(f"{condition} did not come true")
