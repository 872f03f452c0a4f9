"""The publishable token stands in page source: it adds, and tells nothing of what is stored (TRUST.md 7)."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse, encode_multipart

from server.lead_tokens.models import LeadToken
from server.leads.params import CONTROLS, TOKEN_PARAMETERS
from server.leads.schemas import FIELDS, TRUE
from server.lib.db import begin_write, commit, db
from server.numbers.models import Number, NumberPool
from server.schedules.models import Schedule
from tests.factories import Account, make_account
from tests.snapshot import Change, Difference, Snapshot, difference, snapshot

LEADS = "/api/v1/leads"
FORM = "application/x-www-form-urlencoded"
PAGE = "https://shop.example"
THANKS = "https://thanks.example/ok"

# Stand in a request for what is known only when it is sent.
NUMBER, LEAD, KEY, VENDOR, PRIVATE_KEY = "{number}", "{lead}", "{key}", "{vendor}", "{private key}"

# What a publishable token may fill in on a lead that is there, where it is blank.
CALLBACK = {"scheduled_callback_id", "scheduled_callback_at"}
FILLABLE = {"email", "contact_field_type", "traffic_source_id", "traffic_source_text", "sub_id"}
FILLABLE |= CALLBACK | {"trackdrive_number", "sms_number"}

# Rules whose refusals a page must not hear of.
STRICT = {"duplicate_seconds": 3600, "duplicate_scope": "company", "refuse_suppressed": True}

# Where one request may leave rows, and how many; new token names are as many as it brings.
ADDED = {"contact": 1, "lead": 1, "submission": 1, "touch": 1, "idempotency_answer": 1, "callback": 1}
ADDED |= {"consent_record": 1}
# Of the lead, and of one that had run out of time and ends.
ADDED["outbox_event"] = 2
# The page, when it is the first time.
ADDED["origin_seen"] = 1


# What is stored before


class World:
    """A company, and a bystander that knows the same people."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.account = make_account(app, allowed_redirects=["https://thanks.example"])
        self.bystander = make_account(app)
        self.count = 0
        seen = {"exposed_at": datetime.now(UTC), "exposed_origin": PAGE}
        exposed = self.account.token(shows_stored_lead=True, allows_callbacks=True, **seen)
        [page] = self.account.rows("select id from lead_token where kind = 'publishable' and company_id = :company_id")
        self.account.change(LeadToken, page["id"], allows_callbacks=True)
        for kind, number in (("dial", "+17192229001"), ("sms", "+17192229002")):
            self.add_pool(kind, number)
        self.tokens = {"publishable": self.account.publishable_token, "exposed": exposed}
        # What programs have used so far.
        self.program = self.account.schedule_token

    def add_pool(self, kind: str, number: str) -> None:
        """One number for all: another would tell which number asked."""
        company = {"company_id": self.account.company_id}
        number_id = self.account.add(Number(**company, number=number))
        about: dict[str, Any] = {"schedule_id": self.account.schedule_id, "kind": kind, "name": kind}
        self.account.add(NumberPool(**company, **about, number_ids=[number_id]))

    def judge(self, acceptance: dict[str, Any]) -> None:
        """Switches the schedule's acceptance rules."""
        self.account.change(Schedule, self.account.schedule_id, acceptance=acceptance)

    def bring_page_token(self) -> None:
        """A server's token that programs use, and no page yet."""
        token = self.account.token(shows_stored_lead=True, allows_callbacks=True)
        self.program = self.tokens["from a page"] = token

    def number(self) -> str:
        """A number that nobody has sent yet."""
        self.count += 1
        return f"+1719{2_220_000 + self.count}"

    def look(self) -> Snapshot:
        """All that is stored of both."""
        return snapshot(self.app, self.account.company_id, self.bystander.company_id)

    def post(self, token: str, number: str, key: bool = False, **more: Any) -> TestResponse:
        """A post of a program that is trusted."""
        sent = {"lead_token": token, "caller_id": number, **more}
        answer = self.app.test_client().post(LEADS, json=sent, headers=self.account.bearer if key else {})
        assert answer.status_code == 200
        return answer

    def execute(self, sql: str, **values: Any) -> None:
        """What a later step, an operator or time would have done to a lead."""
        with self.app.app_context():
            begin_write()
            db.session.execute(text(sql), {"company_id": self.account.company_id, **values})
            commit()

    def leads(self, number: str) -> list[dict[str, Any]]:
        """The leads of a number."""
        return [lead for lead in self.account.leads() if lead["caller_id"] == number]


def filled(number: str) -> dict[str, Any]:
    """A lead with nothing blank."""
    return {
        "email": "secret@example.com",
        "contact_field_type": "stored",
        "traffic_source_id": "google_ads",
        "sub_id": "stored",
        "lead_priority": 7,
        "hours_to_expire": 48,
        "max_contact_attempts": 3,
        "expires_in": 10_000,
        "next_action_at": "2027-05-06 07:08:09 +0000",
        "schedule_callback_in_seconds": 86_400,
        "assign_trackdrive_number": True,
        "assign_sms_number": True,
        "vendor_lead_id": f"L-{number}",
        "idempotency_key": f"K-{number}-2",
        "data": {"zip": "80903", "loan_amount": "500", "nested": {"a": 1}},
    }


def live_and_filled(world: World, number: str) -> None:
    world.post(world.program, number, **filled(number))


def live_and_blank(world: World, number: str) -> None:
    world.post(world.program, number)


def live_under_the_offer(world: World, number: str) -> None:
    world.post(world.account.offer_token, number, **filled(number))


def live_under_both(world: World, number: str) -> None:
    live_and_filled(world, number)
    live_under_the_offer(world, number)


def made_by_a_page(world: World, number: str) -> None:
    world.post(world.account.publishable_token, number, email="page@example.com", zip="1")


def ended(world: World, number: str) -> None:
    live_and_filled(world, number)
    world.execute(
        "update lead set is_live = false, status = 'completed', ended_at = updated_at, next_action_at = null"
        " where company_id = :company_id and caller_id = :number",
        number=number,
    )


def deleted(world: World, number: str) -> None:
    ended(world, number)
    world.execute(
        "update lead set status = 'removed', deleted_at = ended_at"
        " where company_id = :company_id and caller_id = :number",
        number=number,
    )


def overdue(world: World, number: str) -> None:
    live_and_filled(world, number)
    world.execute(
        "update lead set expires_at = created_at where company_id = :company_id and caller_id = :number",
        number=number,
    )


def blocked(world: World, number: str) -> None:
    live_under_both(world, number)
    world.post(world.program, number, blocked=True)


def opted_out(world: World, number: str) -> None:
    live_and_filled(world, number)
    world.post(world.program, number, opt_out=True)


def blocked_elsewhere(world: World, number: str) -> None:
    """The schedule has never seen the number; the company has, and blocked it."""
    world.post(world.account.offer_token, number, blocked=True)


def suppressed(world: World, number: str) -> None:
    """On the company's list, and known from another offer at the most."""
    live_under_the_offer(world, number)
    world.execute(
        "update contact set suppressed_at = created_at where company_id = :company_id and caller_id = :number",
        number=number,
    )
    # As whoever fills the list does, so that nothing is left for a page to stop.
    world.execute(
        "update lead set status = 'blocked', next_action_at = null, scheduled_callback_id = null,"
        " scheduled_callback_at = null where company_id = :company_id and caller_id = :number and is_live",
        number=number,
    )
    world.execute(
        "update callback set cancelled_at = created_at where company_id = :company_id and caller_id = :number",
        number=number,
    )


def freed_elsewhere(world: World, number: str) -> None:
    """The block was lifted, and the schedule's lead still stands still."""
    live_and_filled(world, number)
    world.post(world.account.offer_token, number, blocked=True)
    world.post(world.account.offer_token, number, blocked=False, key=True)


SITUATIONS: dict[str, Callable[[World, str], None]] = {
    each.__name__: each
    for each in (
        live_and_filled,
        live_and_blank,
        live_under_the_offer,
        live_under_both,
        made_by_a_page,
        ended,
        deleted,
        overdue,
        blocked,
        opted_out,
        blocked_elsewhere,
        suppressed,
        freed_elsewhere,
    )
}


def prepare(world: World, situation: str, number: str) -> None:
    """Brings a number into a situation; the bystander knows it too."""
    SITUATIONS[situation](world, number)
    world.post(world.bystander.schedule_token, number, **filled(number))


# What is sent


@dataclass(frozen=True)
class Ask:
    """One request, but for the number that it is about."""

    params: dict[str, Any]
    encoding: str = "json"
    method: str = "POST"
    path: str = LEADS
    headers: tuple[tuple[str, str], ...] = ()
    token_name: str = "lead_token"
    # publishable; exposed (a server's that a page has used); from a page (a server's that a page uses now)
    token: str = "publishable"

    def true(self, name: str) -> bool:
        """Whether a switch was sent and is on."""
        return str(self.params.get(name)).strip().lower() in TRUE

    @property
    def stops(self) -> bool:
        """Whether it asks to leave the person alone."""
        return self.true("blocked") or self.true("opt_out")


def pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A value as forms spell it: `a[b]`, `a[]`, `a[0][b]`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from pairs(f"{name}[{key}]", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from pairs(f"{name}[{index}]" if isinstance(inner, dict | list) else f"{name}[]", inner)
    else:
        word = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        yield name, word


def form(params: dict[str, Any]) -> list[tuple[str, str]]:
    return [pair for name, value in params.items() for pair in pairs(name, value)]


def as_query(params: dict[str, Any]) -> dict[str, Any]:
    return {"query_string": urlencode(form(params))}


def as_urlencoded(params: dict[str, Any]) -> dict[str, Any]:
    return {"data": urlencode(form(params)), "content_type": FORM}


def as_multipart(params: dict[str, Any]) -> dict[str, Any]:
    boundary, body = encode_multipart(MultiDict(form(params)))
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def as_json(params: dict[str, Any]) -> dict[str, Any]:
    return {"data": json.dumps(params), "content_type": "application/json"}


def as_beacon(params: dict[str, Any]) -> dict[str, Any]:
    return {"data": json.dumps(params), "content_type": "text/plain;charset=UTF-8"}


def as_both(params: dict[str, Any]) -> dict[str, Any]:
    """Every second parameter in the URL, the rest as JSON."""
    names = list(params)
    in_url = {name: params[name] for name in names[::2] if name != "auth_token"}
    return as_query(in_url) | as_json({name: params[name] for name in names if name not in in_url})


ENCODINGS = {
    each.__name__.removeprefix("as_"): each
    for each in (as_query, as_urlencoded, as_multipart, as_json, as_beacon, as_both)
}


def send(world: World, ask: Ask, number: str, attempt: int = 1) -> TestResponse:
    """Sends it for this number."""
    leads = world.leads(number)
    known = {
        NUMBER: number,
        LEAD: leads[0]["id"] if leads else str(uuid4()),
        KEY: f"K-{number}-{attempt}",
        VENDOR: f"L-{number}",
        PRIVATE_KEY: world.account.private_key,
    }
    params = {ask.token_name: world.tokens[ask.token], "caller_id": NUMBER} | ask.params
    params = {name: known.get(value, value) if isinstance(value, str) else value for name, value in params.items()}
    headers = {name: value.format(key=known[KEY], private=world.account.private_key) for name, value in ask.headers}
    content = ENCODINGS[ask.encoding](params)
    return world.app.test_client().open(ask.path, method=ask.method, headers=headers, **content)


# Anything that can be sent


FLAG = st.sampled_from([True, False, "1", "true", "Yes", " ON ", "0", "false", "no", "OFF", 1, 0])
TIME = st.sampled_from(["2027-03-01 14:26:43 +0000", "2027-03-01T14:26:43.123Z", "2027-03-01 14:26", "2027-03-01"])
# How an answer shows them.
SENT_TIMES = {"2027-03-01T14:26:43", "2027-03-01T14:26:00", "2027-03-01T00:00:00"}
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), max_size=12)
IDS = st.sampled_from([LEAD, "1", 7])
TOKEN_NAMES = ["zip", "loan_amount", "nested", "state", "First Name", "Имя", "DELETE_EXISTING", "Blocked"]
TOKEN = st.one_of(WORDS, st.integers(-9, 9), st.booleans(), st.none(), st.dictionaries(WORDS, WORDS, max_size=2))
TOKENS = st.dictionaries(st.sampled_from(TOKEN_NAMES), TOKEN, max_size=4)
# Inside `data` the names of parameters mean nothing, four of them excepted.
DATA = st.dictionaries(
    st.sampled_from([*TOKEN_NAMES, *sorted(FIELDS.keys() - TOKEN_PARAMETERS - {"data", "caller_id", "number"})]),
    TOKEN | FLAG,
    max_size=6,
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "caller_id": st.just(NUMBER),
    "number": st.sampled_from([NUMBER, "+17192229999"]),
    "email": st.sampled_from(["john@example.com", "John@EXAMPLE.com", "no address"]),
    "contact_field_type": WORDS,
    "schedule_callback_at": TIME,
    "schedule_callback_in_seconds": st.sampled_from(["0", "3600", 3600]),
    "update_all_matching_leads": FLAG,
    "apply_to": st.just("calls"),
    "unblock_contact": FLAG,
    "blocked": FLAG,
    "opt_out": FLAG,
    "assign_trackdrive_number": FLAG,
    "assign_sms_number": FLAG,
    "expire_existing": FLAG,
    "delete_existing": FLAG,
    "update_only": FLAG,
    "lead_priority": st.sampled_from(["5", "-1.5", 2.5, 0]),
    "restart_schedule": FLAG,
    "auto_format_nested_fields": FLAG,
    "next_action_at": TIME,
    "hours_to_expire": st.sampled_from(["24", 1]),
    "max_contact_attempts": st.sampled_from(["1", 5]),
    "expires_in": st.sampled_from(["1", 1440]),
    "traffic_source_id": st.sampled_from(["google_ads", "unknown", "1", 1]),
    "sub_id": st.sampled_from(["a1b2c3d", "0", 5]),
    "vendor_lead_id": st.sampled_from([VENDOR, "L-1"]),
    "data": DATA,
    "data_json": st.sampled_from(['{"zip": "1", "city": "x"}', '{"data": {"blocked": true}}', "{}"]),
    "auth_token": st.sampled_from([PRIVATE_KEY, "undefined"]),
    "id": IDS,
    "uuid": IDS,
    "lead_id": IDS,
    "format": st.just("json"),
    "controller": WORDS,
    "action": st.sampled_from(["destroy", "lead_remove"]),
    "utf8": st.just("✓"),
    "_method": st.sampled_from(["DELETE", "PUT"]),
    "authenticity_token": WORDS,
    "serializer": WORDS,
    "root": FLAG,
    "columns": st.just("email,data"),
    "idempotency_key": st.just(KEY),
    "dry_run": FLAG,
    "explain": FLAG,
    "redirect_to": st.sampled_from([THANKS, "https://evil.example/"]),
    "redirect_error": st.sampled_from([THANKS, "https://evil.example/"]),
    "consent": st.one_of(
        st.booleans(),
        WORDS,
        st.fixed_dictionaries({"granted": st.booleans(), "text": WORDS, "stamp": WORDS, "disclosure": WORDS}),
    ),
    "hp": WORDS,
    "google_key": WORDS,
    "hub_verify_token": WORDS,
    "handshakekey": WORDS,
}
JUNK = st.one_of(
    st.none(),
    WORDS,
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(WORDS, max_size=2),
    st.dictionaries(WORDS, WORDS, max_size=2),
)
HEADERS = [
    ("Origin", PAGE),
    ("Origin", "null"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Authorization", "Bearer {private}"),
    ("Authorization", "Bearer undefined"),
    ("Idempotency-Key", "{key}"),
]


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """Any request; three of four are valid."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=12))
    params = draw(TOKENS) | {name: draw(VALUES[name]) for name in names}
    if names and draw(st.integers(0, 3)) == 0:
        # A key that is junk and valid would be one key of every number.
        rest = [name for name in names if name not in ("caller_id", "idempotency_key")]
        params[draw(st.sampled_from(rest or ["email"]))] = draw(JUNK)
    token = draw(st.sampled_from(["publishable", "publishable", "publishable", "exposed", "from a page"]))
    headers = dict(draw(st.lists(st.sampled_from(HEADERS), max_size=3)))
    if token == "from a page":
        headers["Origin"] = PAGE
    return Ask(
        params=params,
        encoding=draw(st.sampled_from(sorted(ENCODINGS))),
        method=draw(st.sampled_from(["POST", "PUT"])),
        path=draw(st.sampled_from([LEADS, f"{LEADS}.json", f"{LEADS}/capture", f"{LEADS}/create_or_update"])),
        headers=tuple(headers.items()),
        token_name=draw(st.sampled_from(["lead_token", "schedule_lead_token"])),
        token=token,
    )


# What may happen


def unexplained(found: Difference, before: Snapshot, world: World, ask: Ask, number: str) -> list[Any]:
    """All in a difference that a request with publishable powers may not do."""
    wrong: list[Any] = list(found.removed)
    wrong += [change for change in found.changed if not may_change(change, before, world.account, ask, number)]
    wrong += [row for row in found.inserted.values() if row.get("company_id") != world.account.company_id]
    wrong += [lead for lead in found.of("lead") if lead["caller_id"] != number]
    tables = Counter(key.table for key in found.inserted)
    wrong += [(table, many) for table, many in tables.items() if table != "token" and many > ADDED.get(table, 0)]
    return wrong


def may_change(change: Change, before: Snapshot, account: Account, ask: Ask, number: str) -> bool:
    """Whether publishable powers may do this to a stored row."""
    row = before[change.key]
    if row.get("company_id", account.company_id) != account.company_id or change.key.table not in MAY_CHANGE:
        return False
    if change.key.table in ("lead", "contact", "callback") and row["caller_id"] != number:
        return False
    return MAY_CHANGE[change.key.table](change, row, ask)


def lead_may_change(change: Change, row: dict[str, Any], ask: Ask) -> bool:
    """Blanks are filled; a stop stops; what has run out of time ends."""
    if not row["is_live"]:
        return False
    if change.column == "updated_at":
        return bool(change.after > change.before)
    if change.column == "data":
        return bool(change.before.items() <= change.after.items())
    if change.column in FILLABLE and change.before is None:
        return True
    let_go = change.column in {"next_action_at", *CALLBACK} and change.after is None
    if is_overdue(row):
        return let_go or change.column in ("is_live", "ended_at") or change.after == "expired"
    return ask.stops and (let_go or (change.column == "status" and change.after in ("blocked", "opt_out")))


def is_overdue(lead: dict[str, Any]) -> bool:
    return lead["expires_at"] is not None and lead["expires_at"] <= datetime.now(UTC)


def contact_may_change(change: Change, row: dict[str, Any], ask: Ask) -> bool:
    """A person can be left alone, never the reverse."""
    if change.column == "updated_at":
        return True
    if change.column == "version":
        return bool(change.after == change.before + 1)
    flag = {"blocked_at": "blocked", "opted_out_at": "opt_out"}.get(change.column)
    return flag is not None and change.before is None and ask.true(flag)


def callback_may_change(change: Change, row: dict[str, Any], ask: Ask) -> bool:
    """It is cancelled with its lead, never moved."""
    return change.column == "cancelled_at" and change.before is None


def token_may_change(change: Change, row: dict[str, Any], ask: Ask) -> bool:
    """It was used; a server's was seen in a page, once."""
    if change.column == "last_used_at":
        return True
    seen = ask.token == "from a page" and change.column in ("exposed_at", "exposed_origin")
    return seen and change.before is None


def company_may_change(change: Change, row: dict[str, Any], ask: Ask) -> bool:
    """The configuration has changed only where a token was seen in a page."""
    return ask.token == "from a page" and change.column == "config_version" and change.after == change.before + 1


MAY_CHANGE = {
    "lead": lead_may_change,
    "contact": contact_may_change,
    "callback": callback_may_change,
    "lead_token": token_may_change,
    "company": company_may_change,
}


# What is answered


UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
NOW = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000")


def shape(answer: TestResponse, number: str) -> Any:
    """An answer without what must differ: its number, its ids, its time. Other times count from its own."""
    body = answer.get_data(as_text=True).replace(number, NUMBER)
    content = json.loads(body) if body else {}
    began = content.get("lead", {}).get("created_at")
    headers = {name: value for name, value in answer.headers if name != "X-Request-Id"}
    return answer.status_code, headers, neutral(content, began)


def neutral(value: Any, began: str | None) -> Any:
    if isinstance(value, dict):
        return {name: neutral(inner, began) for name, inner in value.items()}
    if isinstance(value, list):
        return [neutral(inner, began) for inner in value]
    if isinstance(value, str) and UUID_TEXT.fullmatch(value):
        return "<id>"
    if isinstance(value, str) and INSTANT.fullmatch(value) and began is not None and value[:19] not in SENT_TIMES:
        return datetime.fromisoformat(value) - datetime.fromisoformat(began)
    return NOW.sub("<now>", value) if isinstance(value, str) else value


def check_identity(answer: TestResponse, after: Snapshot) -> None:
    """The lead's id in the answer says nothing, and the submission knows it."""
    body = answer.get_json()
    assert body["action"] == "received"
    assert "why" not in body
    assert body["lead"]["id"] == body["lead_id"]
    assert UUID(body["lead_id"]).version == 4
    assert body["lead_id"] not in {key.id for key in after if key.table == "lead"}
    kept = [row for key, row in after.items() if key == ("submission", body["metadata"]["submission_id"])]
    if body.get("dry_run"):
        assert (body["metadata"]["submission_id"], kept) == (None, [])
    else:
        assert [row["public_lead_id"] for row in kept] == [body["lead_id"]]


def test_every_parameter_has_values_in_these_tests() -> None:
    assert VALUES.keys() == (FIELDS.keys() | CONTROLS) - TOKEN_PARAMETERS.keys()


@pytest.mark.early
def test_publishable_powers_only_add_and_tell_nothing_whatever_is_sent(app: Flask, long: bool) -> None:
    seen: Counter[int] = Counter()
    worlds: list[World] = []

    @settings(max_examples=1000 if long else 20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ask=asks(), situation=st.sampled_from(sorted(SITUATIONS)), strict=st.booleans())
    @example(ask=Ask({"lead_priority": "high"}), situation=min(SITUATIONS), strict=False)  # Few draws are refused.
    @example(ask=Ask({"zip": "1"}, headers=(HEADERS[5],)), situation="live_and_filled", strict=True)
    @example(ask=Ask({"zip": "1"}, headers=(HEADERS[5],)), situation="suppressed", strict=True)
    def holds(ask: Ask, situation: str, strict: bool) -> None:
        if not worlds or worlds[-1].count > 60:
            worlds.append(World(app))
        world = worlds[-1]
        unknown, known = world.number(), world.number()
        world.program = world.account.schedule_token
        if ask.token == "from a page":
            world.bring_page_token()
        world.judge({})
        prepare(world, situation, known)
        world.judge(STRICT if strict else {})
        shapes = []
        after = world.look()
        for attempt, number in enumerate((unknown, known, known), start=1):
            before = after
            answer = send(world, ask, number, attempt)
            after = world.look()
            assert answer.status_code < 500
            found = difference(before, after)
            assert unexplained(found, before, world, ask, number) == []
            assert world.tokens[ask.token] not in repr(found)
            assert world.account.private_key not in repr(found)
            if ask.true("dry_run"):
                assert found == Difference()
            if answer.status_code == 200:
                check_identity(answer, after)
            shapes.append(shape(answer, number))
            seen[answer.status_code] += 1
        event(f"{answer.status_code}")
        assert shapes[1] == shapes[0]
        assert shapes[2] == shapes[0]

    holds()
    # Refusals alone would prove little.
    assert seen[200] + seen[303] > seen.total() / 3
    assert seen[422] > 0


# The same, case by case


ASKS = {
    "plain": Ask({"email": "john@example.com", "zip": "1"}),
    "nothing else": Ask({}),
    "a form": Ask({"data": {"zip": "1"}, "sub_id": "a"}, encoding="urlencoded"),
    "capture": Ask({"zip": "1"}, path=f"{LEADS}/capture"),
    "dry run": Ask({"zip": "1", "dry_run": True}),
    "explain": Ask({"zip": "1", "explain": True}),
    "dry capture": Ask({"dry_run": True, "explain": True}, path=f"{LEADS}/capture"),
    "every wish": Ask({"update_only": 1, "delete_existing": 1, "next_action_at": "2027-01-01", "restart_schedule": 1}),
    "a block": Ask({"blocked": True}),
    "an opt-out": Ask({"opt_out": True}),
    "a lift": Ask({"blocked": False, "opt_out": False, "unblock_contact": True}, headers=(HEADERS[3],)),
    "keys": Ask({"vendor_lead_id": VENDOR, "idempotency_key": KEY}),
    "a native form": Ask({"redirect_to": THANKS}, encoding="urlencoded"),
    "refused": Ask({"lead_priority": "high"}),
    "a honeypot": Ask({"email": "john@example.com", "hp": "x", "idempotency_key": KEY}),
    "an exposed token": Ask({"email": "john@example.com", "dry_run": "on"}, token="exposed"),
    "from a page": Ask({"email": "john@example.com"}, token="from a page", headers=(("Origin", PAGE),)),
    "keys from a page": Ask(
        {"vendor_lead_id": VENDOR, "idempotency_key": KEY}, token="from a page", headers=(("Origin", PAGE),)
    ),
}


@pytest.mark.parametrize("name", ASKS)
def test_known_and_unknown_numbers_get_the_same_answer(app: Flask, name: str) -> None:
    world, ask = World(app), ASKS[name]
    world.bring_page_token()
    unknown = world.number()
    wanted = shape(send(world, ask, unknown), unknown)
    for situation, bring in SITUATIONS.items():
        world.bring_page_token()
        known = world.number()
        bring(world, known)
        # With the second attempt's key, which a program has used for this number.
        assert shape(send(world, ask, known, attempt=2), known) == wanted, situation
    assert shape(send(world, ask, unknown, attempt=3), unknown) == wanted, "a double click"


def test_an_answer_shows_what_was_sent_and_the_time_of_now(app: Flask) -> None:
    world = World(app)
    number = world.number()
    prepare(world, "live_and_filled", number)
    began = datetime.now(UTC) - timedelta(milliseconds=1)
    answer = send(world, Ask({"email": "john@example.com", "zip": "1"}), number)
    body = answer.get_json()
    lead = body["lead"]
    assert (lead["email"], lead["data"], lead["sub_id"]) == ("john@example.com", {"zip": "1"}, None)
    assert (lead["status"], lead["expires_at"], lead["lead_priority"]) == ("scheduled", None, None)
    assert began <= datetime.fromisoformat(lead["created_at"]) <= datetime.now(UTC)
    assert lead["updated_at"] == lead["created_at"]
    check_identity(answer, world.look())


@pytest.mark.parametrize("params", [{"explain": True}, {"dry_run": True}, {"dry_run": "on", "explain": 1, "zip": "1"}])
@pytest.mark.parametrize("token", ["publishable", "exposed"])
def test_a_dry_run_and_an_explanation_tell_nothing_stored(app: Flask, params: dict[str, Any], token: str) -> None:
    world, ask = World(app), Ask(params, token=token)
    unknown, known = world.number(), world.number()
    live_and_filled(world, known)
    for number in (unknown, known):
        before = world.look()
        answer = send(world, ask, number)
        after = world.look()
        check_identity(answer, after)
        if "dry_run" in params:
            assert answer.get_json()["dry_run"] is True
            assert difference(before, after) == Difference()


def test_the_names_of_parameters_inside_data_mean_nothing(app: Flask) -> None:
    world = World(app)
    number = world.number()
    live_and_filled(world, number)
    before = world.look()
    filling = {"caller_id", "number", "email", "traffic_source_id", "sub_id"}
    flags = dict.fromkeys(FIELDS.keys() - TOKEN_PARAMETERS.keys() - filling - {"data"}, True)
    ask = Ask({"data": flags | {"lead_token": world.account.schedule_token, "dry_run": False}})
    answer = send(world, ask, number)
    assert answer.get_json()["action"] == "received"
    found = difference(before, world.look())
    assert unexplained(found, before, world, ask, number) == []
    assert {change.column for change in found.changed if change.key.table == "lead"} == {"updated_at"}
    assert len(found.of("submission")) == 1


def test_a_lead_is_filled_in_where_it_is_blank(app: Flask) -> None:
    world = World(app)
    number = world.number()
    live_and_blank(world, number)
    before = world.look()
    sent = {"email": "john@example.com", "traffic_source_id": "google_ads", "sub_id": "a", "contact_field_type": "x"}
    send(world, Ask(sent | {"zip": "1"}), number)
    found = difference(before, world.look())
    changed = {change.column: change.after for change in found.changed if change.key.table == "lead"}
    del changed["updated_at"]
    stored_source = {"traffic_source_id": world.account.source_id, "traffic_source_text": "google_ads"}
    assert changed == sent | stored_source | {"data": {"zip": "1"}}


def test_nothing_that_stands_in_a_lead_is_changed(app: Flask) -> None:
    world = World(app)
    number = world.number()
    live_and_filled(world, number)
    [before] = world.leads(number)
    sent = {"email": "john@example.com", "traffic_source_id": "other", "sub_id": "a", "contact_field_type": "x"}
    send(world, Ask(sent | {"zip": "1", "nested": {"b": 2}, "state": "CO"}), number)
    [after] = world.leads(number)
    assert after["data"] == before["data"] | {"state": "CO"}
    same = before.keys() - {"data", "updated_at"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


@pytest.mark.parametrize(
    ("flag", "status", "column"), [("blocked",) * 2 + ("blocked_at",), ("opt_out",) * 2 + ("opted_out_at",)]
)
def test_a_page_can_stop_every_lead_of_a_number(app: Flask, flag: str, status: str, column: str) -> None:
    world = World(app)
    number, other = world.number(), world.number()
    live_under_both(world, number)
    live_and_filled(world, other)
    prepare(world, "live_and_filled", world.number())
    before = world.look()
    send(world, Ask({flag: "true"}), number)
    found = difference(before, world.look())
    assert {(lead["status"], lead["next_action_at"]) for lead in world.leads(number)} == {(status, None)}
    assert [change.column for change in found.changed if change.key.table == "contact" and change.before is None] == [
        column
    ]
    assert unexplained(found, before, world, Ask({flag: "true"}), number) == []


@pytest.mark.parametrize("situation", ["blocked", "opted_out", "blocked_elsewhere"])
def test_a_page_never_lifts_a_block_or_an_opt_out(app: Flask, situation: str) -> None:
    world = World(app)
    number = world.number()
    prepare(world, situation, number)
    contacts = "select blocked_at, opted_out_at from contact where company_id = :company_id"
    before = world.account.rows(contacts)
    send(world, Ask({"blocked": "false", "opt_out": "false", "unblock_contact": "1"}, headers=(HEADERS[3],)), number)
    assert world.account.rows(contacts) == before
    assert {lead["status"] for lead in world.leads(number)} == {"opt_out" if situation == "opted_out" else "blocked"}
    assert all(lead["next_action_at"] is None for lead in world.leads(number))


def test_a_page_does_not_set_a_lead_going_that_stands_still(app: Flask) -> None:
    world = World(app)
    number = world.number()
    freed_elsewhere(world, number)
    send(world, Ask({"zip": "1"}), number)
    [lead] = [lead for lead in world.leads(number) if lead["schedule_id"]]
    assert (lead["status"], lead["next_action_at"]) == ("blocked", None)


def test_a_page_reaches_no_lead_through_a_vendors_id_or_key(app: Flask) -> None:
    world = World(app)
    vendors, pages = world.number(), world.number()
    live_and_filled(world, vendors)
    kept = "select * from idempotency_answer where company_id = :company_id and scope <> 'public' order by id"
    before = world.leads(vendors), world.account.rows(kept)
    ask = Ask({"vendor_lead_id": f"L-{vendors}", "idempotency_key": f"K-{vendors}-2"})
    answer = send(world, ask, pages)
    assert answer.get_json()["action"] == "received"
    assert "Idempotent-Replayed" not in answer.headers
    assert (world.leads(vendors), world.account.rows(kept)) == before
    assert len(world.leads(pages)) == 1
    assert world.account.submissions()[-1]["vendor_lead_id"] == f"L-{vendors}"


def test_a_page_that_repeats_its_key_gets_its_own_answer_again(app: Flask) -> None:
    world = World(app)
    number = world.number()
    live_and_filled(world, number)
    ask = Ask({"zip": "1", "idempotency_key": KEY})
    first, again = send(world, ask, number), send(world, ask, number)
    assert again.get_data() == first.get_data()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = send(world, replace(ask, params=ask.params | {"zip": "2"}), number)
    assert other.get_json()["code"] == "idempotency_key_reused"


def test_a_lead_that_has_run_out_of_time_ends_and_a_new_one_is_made(app: Flask) -> None:
    """Time has ended it; whoever comes first only writes it down."""
    world = World(app)
    number = world.number()
    overdue(world, number)
    [before] = world.leads(number)
    send(world, Ask({"zip": "1"}), number)
    old, new = world.leads(number)
    changed = {name for name, value in old.items() if value != before[name]}
    assert changed == {"is_live", "status", "ended_at", "next_action_at", "updated_at"} | CALLBACK
    assert (old["status"], new["is_live"], new["data"]) == ("expired", True, {"zip": "1"})
