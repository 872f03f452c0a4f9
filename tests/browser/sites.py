"""A customer's site with a snippet of the real server: its visitor, and its owner who reads back what has arrived."""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, FrameLocator, Locator, Page, Request, expect

from tests.browser.host import Host
from tests.factories import DAY, Account
from tests.live import Live

Json = dict[str, Any]

PAGES = Path(__file__).parent / "pages" / "hosts"

# What a browser does with a page does not depend on the database: most pages are seen with one of them.
with_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
with_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

# What a snippet's owner publishes, by language.
TEXTS: Mapping[str, Json] = {
    "en": {
        "label": "Yes, contact me.",
        "text": "I agree that Acme Solar may call and text me about quotes with an autodialer or a recorded voice."
        " Consent is not a condition of purchase. Message and data rates may apply. Reply STOP to opt out.",
        "seller_name": "Acme Solar",
        "terms_url": "https://shop.example/terms",
        "privacy_url": "https://shop.example/privacy",
    },
    "es": {
        "label": "Sí, contáctenme.",
        "text": "Acepto que Acme Solar me llame y me envíe mensajes de texto con un marcador automático. Mi"
        " consentimiento no es condición de ninguna compra. Responda STOP para darse de baja.",
        "seller_name": "Acme Solar",
        "terms_url": "https://shop.example/terminos",
        "privacy_url": "https://shop.example/privacidad",
    },
}
# What visitors read of it.
READ: Mapping[str, str] = {
    "en": f"{TEXTS['en']['label']} {TEXTS['en']['text']} Terms Privacy policy",
    "es": f"{TEXTS['es']['label']} {TEXTS['es']['text']} Términos Política de privacidad",
}
THANKS = "Thank you. We have received it."
MISSING = "Tick the box to send this form"

# Who fills in most forms, by the labels of the fields; and the lead that this is.
PERSON: Mapping[str, str] = {"Your name": "Jane Roe", "Phone": "(719) 222-1234", "Email": "jane@example.com"}
NUMBER = "+17192221234"
NAMES = {"first_name": "Jane", "last_name": "Roe"}
LEAD: Mapping[str, Any] = {
    "caller_id": NUMBER,
    "email": "jane@example.com",
    "data": {"name": "Jane Roe"} | NAMES,
}

# Everything that a page can leave behind in a browser.
STORED = """async () => [
  document.cookie, localStorage.length, sessionStorage.length,
  (await indexedDB.databases()).length, (await caches.keys()).length,
]"""
NOTHING = ["", 0, 0, 0, 0]
# Where a page has the snippet, in one of the ways that are handed out.
PLACE = re.compile(r"<!-- the (\w+) snippet -->")
NEVER = datetime.max.replace(tzinfo=UTC)
# For so long all that fetch the script get the same stamp.
BUCKET = timedelta(minutes=10)


def now() -> datetime:
    """The time as precisely as records have it."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def read(time: str) -> datetime:
    """A time of the API's."""
    return datetime.fromisoformat(time)


@dataclass
class Site:
    """A page on a customer's site, and all that its visitor's browser asks of anybody."""

    page: Page
    host: Host
    live: Live
    account: Account
    expected_console: list[str]
    # Where the form is: the page, or a frame of it.
    within: Page | FrameLocator | Locator = field(init=False)
    asked: list[Request] = field(default_factory=list)
    snippet: Json = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    address: str = ""
    button: str = "Get a quote"
    agreed: bool = False
    failures: list[str] = field(default_factory=list)
    began: datetime = NEVER

    def __post_init__(self) -> None:
        self.within = self.page
        self.page.set_default_timeout(8000)
        # What it cannot do our script says in a warning, and goes on: here it must be able to do everything.
        self.page.context.on("console", self.on_console)
        self.page.context.on("request", self.on_request)
        self.host.posted.clear()
        self.host.put("/favicon.ico", b"")  # Chromium asks for one on its own.

    def on_request(self, request: Request) -> None:
        """Keeps what is asked of anybody."""
        self.asked.append(request)

    def on_console(self, message: ConsoleMessage) -> None:
        """Keeps what our script has failed at."""
        if message.type == "warning" and message.text.startswith("handraiser"):
            self.failures.append(message.text)

    # The owner

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """What the API answers the owner."""
        url = f"{self.live.url}/api/v1{path}"
        answer = httpx.request(method, url, json=body, headers=self.account.bearer, timeout=30)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def make(self, *languages: str, **about: Any) -> None:
        """A snippet with published texts in these languages, for pages of the host only."""
        body = {"name": "Page", "schedule_id": self.account.schedule_id, "traffic_source_id": self.account.source_id}
        allowed = {"allowed_origins": [self.host.origin]}
        self.snippet = self.ask("POST", "/snippets", body | allowed | about)["snippet"]
        for language in languages:
            made = self.ask("POST", self.texts, TEXTS[language] | {"language": language})["version"]
            self.ask("POST", f"{self.texts}/{made['id']}/publish")
            self.versions[language] = made["content_hash"]

    @property
    def texts(self) -> str:
        """The path of the versions of its disclosure."""
        return f"/disclosures/{self.snippet['disclosure_id']}/versions"

    def learned(self) -> Json:
        """The one version that a page has taught us."""
        [version] = [each for each in self.ask("GET", self.texts)["versions"] if each["published_at"] is None]
        return dict(version)

    def place(
        self,
        name: str,
        changes: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        chosen: Mapping[str, str] | None = None,
    ) -> str:
        """Puts a page on the host, with the snippet where it has a place for one of the ways, or another that was
        chosen; its address."""
        text = (PAGES / name).read_text(encoding="utf-8")
        if PLACE.search(text):
            ways = self.ask("POST", f"/snippets/{self.snippet['id']}/publish")["embed"]
            text = PLACE.sub(lambda found: str(ways[(chosen or {}).get(found[1], found[1])]), text)
        for old, new in (changes or {}).items():
            assert old in text
            text = text.replace(old, new)
        return self.host.put(f"/hosts/{name}", text.encode(), headers)

    # The visitor

    def open(self, name: str, query: str = "", **how: Mapping[str, str]) -> None:
        """Visits a page, with a snippet in English unless there is one."""
        if not self.snippet:
            self.make("en")
        self.address = self.place(name, **how) + query
        self.began = min(self.began, now())
        self.page.goto(self.address)

    def fill(self, fields: Mapping[str, str] = PERSON) -> None:
        """Fills in fields by their labels."""
        for label, value in fields.items():
            self.within.get_by_label(label).fill(value)

    def press(self) -> None:
        """Presses the button that sends."""
        self.within.get_by_role("button", name=self.button).click()

    def is_held(self, said: str = MISSING) -> None:
        """Presses the button before the box is ticked: the visitor is told so, at the box, and nothing has happened."""
        self.press()
        self.sees(said)
        expect(self.within.get_by_role("checkbox")).to_be_focused()
        self.is_untouched()

    def is_untouched(self) -> None:
        """Nothing was asked of our server but the script, of nobody else anything, and nothing is stored."""
        script = self.snippet["urls"]["script"].removesuffix("js")
        asked = [each.url for each in self.asked]
        assert [url for url in asked if not url.startswith((f"{self.host.origin}/", "data:", script))] == []
        assert [each.url for each in self.asked if each.method != "GET"] == []
        self.stores_nothing()

    def stores_nothing(self) -> None:
        """The browser keeps nothing of any page."""
        for frame in self.page.frames:
            assert frame.evaluate(STORED) == NOTHING
        assert self.page.context.cookies() == []

    def agree(self) -> None:
        """Ticks the box and presses the button."""
        self.within.get_by_role("checkbox").check()
        if not self.agreed:
            self.is_untouched()
        self.agreed = True
        self.press()

    def sees(self, text: str = THANKS) -> None:
        """Waits for what the visitor is told."""
        expect(self.within.get_by_role("status")).to_have_text(text)

    # What has arrived

    def arrived(self, lead: Json | None = None, consent: Json | None = None, held: bool = False, of: int = 1) -> Json:
        """Reads the newest of so many submissions with its lead and its consent record, each of which must be what is
        expected, in all of its fields; the submission."""
        submission = self.newest(of)
        sent = LEAD | (lead or {})
        stored = self.ask("GET", f"/leads/{submission['lead_id']}")["lead"]
        times = {name: stored[name] for name in ("created_at", "next_action_at")}
        assert self.began <= read(times["created_at"]) <= now()
        if held:
            assert times["next_action_at"] is None
        else:
            assert read(times["next_action_at"]) == read(times["created_at"]) + timedelta(seconds=DAY)
        record = submission["consent"]
        # A page's word for the lead that it made is no mere claim.
        told = {name: None if name == "claim" else record[name] for name in stored["consent"]}
        expected = {
            "offer_id": self.account.offer_id,
            "schedule_id": self.account.schedule_id,
            "traffic_source_id": "google_ads",
            "status": "held" if held else "scheduled",
            "is_live": True,
            "test": False,
            "contact_attempts": 0,
            "blocked": False,
            "opt_out": False,
            "updated_at": stored["created_at"],
            "id": submission["lead_id"],
            "consent": told,
            **times,
            **sent,
        }
        assert stored == dict.fromkeys(stored) | expected
        assert len(self.account.leads()) == of
        self.is_of(submission, sent)
        self.sent_only(of)
        self.is_on_record(submission, consent or {})
        return submission

    def newest(self, of: int) -> Json:
        """The newest submission, as soon as there are so many, as it is shown alone."""
        deadline = time.monotonic() + 10
        while len(rows := self.ask("GET", "/submissions")["submissions"]) < of and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(rows) == of
        return dict(self.ask("GET", f"/submissions/{rows[0]['id']}")["submission"])

    def is_of(self, submission: Json, sent: Json) -> None:
        """The submission is that of a page's visitor."""
        expected = {
            "lead_token_id": self.snippet["lead_token_id"],
            "endpoint": "create",
            "powers": "public",
            "action": "created",
            "code": None,
            "caller_id": sent["caller_id"],
            "origin": self.host.origin,
        }
        assert {name: submission[name] for name in expected} == expected

    def sent_only(self, posts: int) -> None:
        """The browser has sent us so many leads and nothing else, and has asked nobody else for anything."""
        ours, theirs = self.live.url, (f"{self.host.origin}/", "data:")
        asked = [each for each in self.asked if not each.url.startswith(theirs)]
        assert self.failures == []
        sent = [each.url.partition("?")[0] for each in asked if each.method != "GET"]
        assert sent == [self.snippet["urls"]["leads"]] * posts
        assert [each.url for each in asked if not each.url.startswith(f"{ours}/")] == []

    def is_on_record(self, submission: Json, differs: Json) -> None:
        """The record says what the script witnesses of a box in English, but for what differs: `read` is what was read,
        `times` when as far as the page says it, and `stamp` what that of the file shows."""
        record = dict(submission["consent"])
        known = {"read": READ["en"], "times": ["shown_at", "granted_at"], "stamp": "fresh"} | differs
        text, timed, freshness = (known.pop(name) for name in ("read", "times", "stamp"))
        times = {name: record.pop(name) for name in ("shown_at", "granted_at", "received_at")}
        assert [name for name, time in times.items() if time] == [*timed, "received_at"]
        passed = [self.began, *(read(time) for time in times.values() if time), now()]
        assert passed == sorted(passed)
        stamp = record.pop("stamp")
        assert (stamp and stamp["freshness"]) == freshness
        assert not stamp or timedelta() <= now() - read(stamp["fetched_at"]) < 2 * BUCKET
        expected = {
            "version": 1,
            "company_id": self.account.company_id,
            "lead_token_id": self.snippet["lead_token_id"],
            "submission_id": submission["id"],
            "lead_id": submission["lead_id"],
            "caller_id": submission["caller_id"],
            "evidence": "witnessed",
            "granted": True,
            "said_in": "consent",
            "disclosure": self.versions.get("en"),
            "disclosure_claimed": self.versions.get("en"),
            "text": None,
            "text_hash": text and hashlib.sha256(text.encode()).hexdigest(),
            "text_is": "same",
            "language": "en",
            "default": "unticked",
            "page_url": self.address,
            "origin": self.host.origin,
            "referrer": f"{self.host.origin}/",
            "remote_ip": "127.0.0.1",
            "user_agent": self.asked[0].headers["user-agent"],
            "gpc": False,
            "attached": [],
        }
        assert record == expected | known
