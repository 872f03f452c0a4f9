"""Random requests one after another, against a model that is too slow to be wrong in the same way (API.md §7).

Whatever is sent, in whatever order, with whatever time between: the product stores the leads that the model has, and
answers what the model answers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from server.companies.models import Company
from server.companies.operations import create_key
from server.lead_tokens.operations import create_token
from server.lib.db import begin_write, commit, db
from server.numbers.models import Number, NumberPool
from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, Json
from tests.api.model import STATUS_OF, Ask, Model, Outcome, Owner, Pool, Token
from tests.factories import DAY, Account, add, make_account

FICTION = "+17195550100"
HOUR = timedelta(hours=1)
POOLS = {
    "dial": [Pool("+18005550001", {"state": "CA"}), Pool("+18005550002")],
    "sms": [Pool("+18005550003", {"state": "NY", "sub_id": "a"})],
}
FIRST = Owner("cars", "call now", timedelta(days=1), POOLS)
SECOND = Owner("cars", "call soon", timedelta(minutes=1), {"dial": [Pool("+18005550004")]})
IDLE = Owner("cars", "no actions")
CARS = Owner("cars")
HOMES = Owner("homes")

TOKENS = {
    "first": Token(FIRST, shows_stored_lead=True),
    "vendor": Token(FIRST, default_source="google_ads"),
    "page": Token(FIRST, public=True),
    "second": Token(SECOND, shows_stored_lead=True),
    "idle": Token(IDLE, shows_stored_lead=True),
    "cars": Token(CARS, shows_stored_lead=True),
    "cars page": Token(CARS, public=True),
    "homes": Token(HOMES, shows_stored_lead=True),
    "disabled": Token(FIRST, shows_stored_lead=True, disabled=True),
}
KEYS = {"none": None, "reads": frozenset({"leads:read"}), "manages": frozenset({"leads:update", "leads:delete"})}

METHODS = {"lead_opt_out": "PUT", "caller_opt_out": "GET", "edit": "PUT", "delete": "DELETE"}
PATHS = {"create": "", "edit": "/{lead}", "delete": "/{lead}", "restore": "/{lead}/restore"}


# A company as the model has it


@dataclass
class World:
    """The product's company beside the model's."""

    account: Account
    model: Model
    tokens: dict[str, str]
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    # By kind and id; and the schedule that each action is the first of.
    owners: dict[tuple[str, int], Owner] = field(default_factory=dict)
    actions: dict[int, Owner] = field(default_factory=dict)
    # The ids of the leads in the order in which they were made, as the model counts them.
    ids: list[str] = field(default_factory=list)
    # What each idempotency key was answered.
    answers: dict[tuple[str, bool, str], Json] = field(default_factory=dict)


def make_world(app: Flask) -> World:
    """The same company twice."""
    account = make_account(app)
    sources = {"google_ads": "google_ads", str(account.source_id): "google_ads"}
    world = World(account, Model(TOKENS, sources), {"unknown": "0" * 32})
    with app.app_context():
        begin_write()
        homes = add(Offer(company_id=account.company_id, name="Homes"))
        world.owners = {("offer", account.offer_id): CARS, ("offer", homes.id): HOMES}
        for owner in (FIRST, SECOND, IDLE):
            add_schedule(world, owner)
        for name in TOKENS:
            world.tokens[name] = add_token(world, name)
        for name, scopes in KEYS.items():
            world.keys[name] = add_key(account, sorted(scopes)) if scopes else {}
        commit()
    return world


def add_schedule(world: World, owner: Owner) -> None:
    """A schedule with its first action and the numbers that it shows."""
    company: Json = {"company_id": world.account.company_id}
    schedule = add(Schedule(offer_id=world.account.offer_id, name=owner.schedule, **company))
    world.owners["schedule", schedule.id] = owner
    if owner.first_action_after is not None:
        delay: Json = {"delay_seconds": owner.first_action_after // timedelta(seconds=1)}
        action = add(ScheduleAction(schedule_id=schedule.id, position=1, kind="dial", **delay, **company))
        world.actions[action.id] = owner
    for kind, pools in owner.pools.items():
        for position, pool in enumerate(pools, start=1):
            number = add(Number(number=pool.number, **company))
            filters = {name: [text] for name, text in pool.filters.items()}
            shown: Json = {"position": position, "filters": filters, "number_ids": [number.id]}
            add(NumberPool(schedule_id=schedule.id, kind=kind, name=pool.number, **shown, **company))


def add_token(world: World, name: str) -> str:
    """A lead token's value."""
    token = TOKENS[name]
    kind, owner_id = next(place for place, owner in world.owners.items() if owner == token.owner)
    made = create_token(
        world.account.company_id,
        kind,
        owner_id,
        name,
        kind="publishable" if token.public else "server",
        shows_stored_lead=token.shows_stored_lead,
        allows_callbacks=token.public,
        disabled_at=NOW if token.disabled else None,
        default_traffic_source_id=world.account.source_id if token.default_source else None,
    )
    return made.value


def add_key(account: Account, scopes: list[str]) -> dict[str, str]:
    """The headers of an API key."""
    _, private = create_key(db.session.get_one(Company, account.company_id), "Further", scopes)
    return {"Authorization": f"Bearer {private}"}


# What is sent


@dataclass(frozen=True)
class Step:
    """A request so long after the one before; `again` sends an earlier one once more."""

    ask: Ask = field(default_factory=Ask)
    key: str = "none"
    after: timedelta = timedelta(seconds=1)
    again: int | None = None


def post(token: str = "first", endpoint: str = "create", *, key: str = "none", **params: Any) -> Step:
    """A lead of NUMBER, unless another is given, a second after what came before."""
    after = params.pop("after", timedelta(seconds=1))
    return Step(Ask(endpoint, token, {"caller_id": NUMBER} | params), key, after)


def named(endpoint: str, lead: int = 0, token: str = "first", **params: Any) -> Step:
    """What is done to one lead with a token."""
    after = params.pop("after", timedelta(seconds=1))
    return Step(Ask(endpoint, token, params, lead), after=after)


def managed(endpoint: str, lead: int = 0, after: timedelta = timedelta(seconds=1), **params: Any) -> Step:
    """What is done to one lead with an API key."""
    return Step(Ask(endpoint, "", params, lead), "manages", after)


NUMBERS = st.sampled_from([*[NUMBER] * 5, "(719) 222-1234", *[OTHER_NUMBER] * 4, FICTION])
NUMBERS_OF_PATHS = st.sampled_from([NUMBER, "17192221234", OTHER_NUMBER, FICTION, "911"])
WAITS = st.sampled_from(
    [timedelta(seconds=seconds) for seconds in (1, 1, 1, 1, 59, 299, 600, 3600, DAY, 8 * DAY, 31 * DAY)]
)
YES = [True, True, "yes", "1", False, "off"]
VALUES: dict[str, list[Any]] = {
    "email": ["a@example.com", "b@example.com", "none", ""],
    "zip": ["1", "2", 2, "", {"a": [1, {"b": None}]}],
    "state": ["CA", "NY"],
    "Loan Amount": ["500", " "],
    "data": [
        {"zip": "3", "city": "x"},
        {"zip": "", "nested": {"a": "b"}},
        {"email": "data@example.com", "sub_id": "d"},
        {"caller_id": OTHER_NUMBER, "blocked": True, "traffic_source_id": "bing"},
    ],
    "traffic_source_id": ["google_ads", "bing", None],
    "sub_id": ["a", "b"],
    "contact_field_type": ["auto"],
    "blocked": YES,
    "opt_out": YES,
    "unblock_contact": YES,
    "update_only": YES,
    "update_all_matching_leads": YES,
    "expire_existing": YES,
    "delete_existing": YES,
    "restart_schedule": YES,
    "assign_trackdrive_number": YES,
    "assign_sms_number": YES,
    "next_action_at": ["2026-12-24 08:00:00", "2027-02-01T00:00:00Z", "2026-01-01 00:00:00 +0000"],
    "hours_to_expire": [1, "24", 240],
    "expires_in": [1, 60, "20000"],
    "max_contact_attempts": [1, "5"],
    "lead_priority": [1, "2.5", -3],
    "schedule_callback_at": ["2026-12-25 10:00:00", "2027-01-01T00:00:00Z"],
    "schedule_callback_in_seconds": ["60", 86400],
    "vendor_lead_id": ["v1", "v1", "v2"],
    "idempotency_key": ["k1", "k1", "k2"],
}
WRONG: list[Json] = [
    {"caller_id": "911"},
    {"caller_id": " "},
    {"lead_priority": "high"},
    {"blocked": "maybe"},
    {"idempotency_key": "a b"},
]


KEY_NAMES = st.sampled_from(["none", "none", "reads", "manages"])
POSTING_TOKENS = st.sampled_from(
    [*["first"] * 20, *["vendor"] * 3, *["page"] * 5, *["second"] * 4, *["cars"] * 8, *TOKENS, "unknown"]
)
NAMING_TOKENS = st.sampled_from([*["first"] * 12, *["second"] * 2, *["cars"] * 6, "idle", "homes", "page", "unknown"])
POSTED_TO = st.sampled_from(["create", "create", "create", "capture", "create_or_update"])
BY_ID = st.sampled_from(["lead_opt_out", "lead_remove", "lead_move_to_end_of_schedule"])
BY_NUMBER = st.sampled_from(["caller_opt_out", "caller_remove", "caller_move_to_end_of_schedule"])
LEAD_INDEXES = st.integers(0, 3)
STALE = st.sampled_from([*[False] * 9, True])
MANAGERS = st.sampled_from([*["manages"] * 9, "reads"])
BESIDE = {name: VALUES[name] for name in ("zip", "idempotency_key", "blocked")}

# How often each kind of request comes.
WEIGHTS = {"post": 10, "again": 4, "update": 2, "by id": 2, "by number": 1, "edit": 2, "delete": 2}
KINDS = st.sampled_from([name for name, weight in WEIGHTS.items() for _ in range(weight)])


def some_of(values: dict[str, list[Any]], most: int) -> st.SearchStrategy[Json]:
    """A few parameters in any order."""
    pairs = [(name, value) for name, several in values.items() for value in several]
    return st.lists(st.sampled_from(pairs), max_size=most, unique_by=lambda pair: pair[0]).map(dict)


def parameters(names: list[str]) -> st.SearchStrategy[Json]:
    """What a lead comes with: mostly parameters of these names, now and then any, or one that is wrong."""
    return st.builds(
        lambda number, often, any_other, wrong: {"caller_id": number} | often | any_other | wrong,
        NUMBERS,
        some_of({name: VALUES[name] for name in names}, 4),
        some_of(VALUES, 1),
        st.sampled_from([*[{}] * 15 * len(WRONG), *WRONG]),
    )


def steps(kind: str, params: st.SearchStrategy[Json]) -> st.SearchStrategy[Step]:
    """Requests of one kind."""
    asks = {
        "post": st.builds(Ask, POSTED_TO, POSTING_TOKENS, params),
        "update": st.builds(Ask, st.just("lead_update"), NAMING_TOKENS, params, LEAD_INDEXES),
        "by id": st.builds(Ask, BY_ID, NAMING_TOKENS, some_of(BESIDE, 1), LEAD_INDEXES),
        "by number": st.builds(Ask, BY_NUMBER, NAMING_TOKENS, some_of(BESIDE, 1), number=NUMBERS_OF_PATHS),
        "edit": st.builds(Ask, st.just("edit"), params=params, lead=LEAD_INDEXES, stale=STALE),
        "delete": st.builds(Ask, st.sampled_from(["delete", "restore"]), lead=LEAD_INDEXES, stale=STALE),
    }
    if kind == "again":
        return st.builds(Step, after=WAITS, again=st.integers(0, 3))
    return st.builds(Step, asks[kind], MANAGERS if kind in ("edit", "delete") else KEY_NAMES, WAITS)


# What meets what most: these are drawn more often.
ENTANGLED = (
    "vendor_lead_id idempotency_key opt_out blocked unblock_contact hours_to_expire expires_in"
    " schedule_callback_in_seconds update_all_matching_leads"
)
NAMES = st.sampled_from([*sorted(VALUES), *ENTANGLED.split() * 2])


@st.composite
def sequences(draw: st.DrawFn) -> list[Step]:
    """Some requests that have much to do with one another: each sequence has its own few parameters."""
    params = parameters(draw(st.lists(NAMES, min_size=3, max_size=6, unique=True)))
    kinds = ["post", *draw(st.lists(KINDS, min_size=2, max_size=11))]
    return [draw(steps(kind, params)) for kind in kinds]


def send(world: World, step: Step) -> TestResponse:
    """Sends a request to the product."""
    ask = step.ask
    known = world.ids and ask.lead is not None
    lead = world.ids[(ask.lead or 0) % len(world.ids)] if known else str(uuid4())
    path = PATHS.get(ask.endpoint, f"/{ask.endpoint}")
    if ask.endpoint.startswith("lead_"):
        path = f"/{lead}/{ask.endpoint}"
    if ask.number is not None:
        path = f"/{ask.number}/{ask.endpoint}"
    params = dict(ask.params)
    if not ask.by_key:
        params["lead_token"] = world.tokens[ask.token]
    headers = dict(world.keys[step.key])
    if ask.stale:
        headers["If-Match"] = '"2000-01-01T00:00:00.000+00:00"'
    method = METHODS.get(ask.endpoint, "POST")
    how: Json = {"query_string": params} if method == "GET" else {"json": params}
    client = world.account.app.test_client()
    return client.open(LEADS + path.format(lead=lead), method=method, headers=headers, **how)


# What is compared


def stored_by_product(world: World) -> Json:
    """The product's tables, with the model's names."""
    account = world.account
    leads = account.leads()
    world.ids = ids = [row["id"] for row in leads]
    contacts = account.rows("select caller_id, blocked_at, opted_out_at from contact where company_id = :company_id")
    callbacks = account.rows(
        "select lead_id, due_at from callback where company_id = :company_id"
        " and done_at is null and cancelled_at is null"
    )
    return {
        "leads": [stored_lead(world, row) for row in leads],
        "contacts": {row["caller_id"]: (bool(row["blocked_at"]), bool(row["opted_out_at"])) for row in contacts},
        "callbacks": sorted((ids.index(row["lead_id"]), row["due_at"]) for row in callbacks),
        "submissions": [
            (row["action"], row["code"], row["lead_id"] and ids.index(row["lead_id"])) for row in account.submissions()
        ],
    }


def stored_lead(world: World, row: Json) -> Json:
    """A row of the product's leads."""
    names = (
        "caller_id status is_live email contact_field_type data sub_id test lead_priority max_contact_attempts"
        " contact_attempts next_action_at trackdrive_number sms_number expires_at deletes_at"
    )
    lead = {name: row[name] for name in names.split()}
    action = world.actions.get(row["next_action_id"])
    return lead | {
        "owner": world.owners[row["owner_kind"], row["owner_id"]],
        "source": row["traffic_source_text"],
        "source is known": row["traffic_source_id"] is not None,
        "next action of": action and action.schedule,
        "callback_at": row["scheduled_callback_at"],
        "has a callback": row["scheduled_callback_id"] is not None,
        "ended": row["ended_at"] is not None,
        "deleted_at": row["deleted_at"],
    }


def stored_by_model(model: Model) -> Json:
    """The model's tables."""
    leads = model.stored.leads
    return {
        "leads": [model_lead(lead) for lead in leads],
        "contacts": {number: (contact.blocked, contact.opted_out) for number, contact in model.stored.contacts.items()},
        "callbacks": [(index, lead.callback_at) for index, lead in enumerate(leads) if lead.callback_at],
        "submissions": [(each.action, each.code, each.lead) for each in model.submissions],
    }


def model_lead(lead: Any) -> Json:
    """A lead of the model, in the words of the product."""
    return {
        "caller_id": lead.number,
        "status": lead.status,
        "is_live": lead.live,
        "email": lead.email,
        "contact_field_type": lead.contact_field_type,
        "data": lead.data,
        "sub_id": lead.sub_id,
        "test": lead.number == FICTION,
        "lead_priority": lead.priority,
        "max_contact_attempts": lead.max_attempts,
        "contact_attempts": 0,
        "next_action_at": lead.next_action_at,
        "trackdrive_number": lead.dial_number,
        "sms_number": lead.sms_number,
        "expires_at": lead.expires_at,
        "deletes_at": lead.deletes_at,
        "owner": lead.owner,
        "source": lead.source,
        "source is known": lead.source == "google_ads",
        "next action of": lead.owner.schedule if lead.planned else None,
        "callback_at": lead.callback_at,
        "has a callback": lead.callback_at is not None,
        "ended": not lead.live,
        "deleted_at": lead.deleted_at,
    }


def check_answer(world: World, outcome: Outcome, answer: TestResponse) -> None:
    """The answer is the one that the model gives, and shows no more than its reader may see."""
    body = answer.get_json()
    assert (answer.status_code, body.get("code")) == (outcome.status, outcome.code), body
    assert (answer.headers.get("Idempotent-Replayed") == "true") == outcome.replayed
    wish = outcome.wish
    if wish is None or outcome.lead is None:
        return
    place = (wish.token_name, outcome.public, wish.idempotency_key or "")
    if outcome.replayed:
        assert body == world.answers[place]
        return
    world.answers[place] = body
    assert body["action"] == ("received" if outcome.public else outcome.action)
    assert (body["lead_id"] == world.ids[outcome.lead]) == (not outcome.public)
    assert {*wish.undone} <= {warning["param"] for warning in body["warnings"]}
    if wish.ask.endpoint == "capture" and not outcome.public:
        matched = None if outcome.action == "created" else world.ids[outcome.lead]
        assert body["dedupe"]["matched_lead_id"] == matched
    shown, lead = body["lead"], world.model.stored.leads[outcome.lead]
    if not outcome.public and (wish.ask.by_key or wish.token.shows_stored_lead):
        contact = world.model.stored.contacts[lead.number]
        wanted = model_lead(lead) | {"blocked": contact.blocked, "opt_out": contact.opted_out}
        wanted["next_action_at"] = lead.next_action_at and lead.next_action_at.isoformat(timespec="milliseconds")
        for name in ("caller_id", "status", "is_live", "email", "data", "next_action_at", "blocked", "opt_out"):
            assert shown[name] == wanted[name], name
    else:
        assert (shown["data"], shown["email"]) == (wish.tokens, wish.fields.get("email"))


def run(world: World, steps: list[Step]) -> Iterator[Outcome]:
    """Sends them one after another, and compares after each."""
    now = NOW
    sent: list[Step] = []
    for step in steps:
        now += step.after
        if step.again is not None and not sent:
            continue
        meant = step if step.again is None else sent[-1 - step.again % len(sent)]
        sent.append(meant)
        yield act(world, meant, now)


def act(world: World, step: Step, now: datetime) -> Outcome:
    """One request, to both."""
    with time_machine.travel(now, tick=False):
        answer = send(world, step)
    ask = replace(step.ask, scopes=KEYS[step.key])
    outcome = world.model.handle(ask, now)
    assert stored_by_product(world) == stored_by_model(world.model), (now, ask, answer.get_json())
    check_answer(world, outcome, answer)
    return outcome


def kind(outcome: Outcome) -> str:
    """What came of a request, in a word."""
    return outcome.code or ("key replayed" if outcome.replayed else outcome.action)


# Every action and every code, in one walk.
TOUR = [
    post(zip="1"),
    post(zip="1"),
    post(zip="2", vendor_lead_id="v1"),
    post(zip="2", vendor_lead_id="v1"),
    post(zip="3", idempotency_key="k1"),
    post(zip="3", idempotency_key="k1"),
    post(zip="4", idempotency_key="k1"),
    post(idempotency_key="a b"),
    post(lead_priority="high"),
    post(caller_id="911"),
    post(caller_id=" "),
    post("homes", update_only=True),
    post("disabled"),
    named("lead_remove", token="page"),
    named("lead_update", token="homes"),
    managed("delete"),
    post(zip="5"),
    managed("restore"),
]
KINDS_OF_OUTCOMES = {"created", "updated", "unchanged", "replayed", "key replayed", *STATUS_OF}


@pytest.mark.early
def test_random_requests_leave_the_leads_of_the_model(app: Flask, long: bool) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=3000 if long else 25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=sequences())
    @example(steps=TOUR)
    def holds(steps: list[Step]) -> None:
        for outcome in run(make_world(app), steps):
            seen[kind(outcome)] += 1
            event(kind(outcome))

    holds()
    print(f"{seen.total()} requests:", dict(seen.most_common()))
    # Requests that nothing comes of would prove little.
    assert seen.keys() == KINDS_OF_OUTCOMES
    assert min(seen["created"], seen["updated"], seen["unchanged"]) > seen.total() / 50
    assert seen["created"] + seen["updated"] > seen.total() / 4
    if long:
        assert min(seen.values()) >= 20


# What the model has found, each with what the last request comes to
FOUND: dict[str, tuple[list[Step], str]] = {
    "a key's replay does not hide a double click": (
        [post(idempotency_key="k1"), post(idempotency_key="k1"), post()],
        "unchanged",
    ),
    "a click that came before other content counts again": (
        [post(zip="1", idempotency_key="k1"), post(zip="2"), post(zip="1", idempotency_key="k1"), post(zip="1")],
        "updated",
    ),
    "a callback follows its lead to the number that opts out": (
        [post(schedule_callback_in_seconds="60"), managed("edit", caller_id=OTHER_NUMBER), named("lead_opt_out")],
        "updated",
    ),
    "a callback is not lost with the number that its lead had before": (
        [
            post(schedule_callback_in_seconds="60"),
            managed("edit", caller_id=OTHER_NUMBER),
            post("second", blocked=True),
            post(caller_id=OTHER_NUMBER, schedule_callback_in_seconds="90"),
        ],
        "updated",
    ),
    "a callback ends with the edit that moves its lead and opts out": (
        [post(schedule_callback_in_seconds="60"), managed("edit", caller_id=OTHER_NUMBER, opt_out=True)],
        "updated",
    ),
    "a vendor's id takes the number of a lead whose time is over": (
        [
            post(vendor_lead_id="v1"),
            post(caller_id=OTHER_NUMBER, hours_to_expire=1),
            post(caller_id=OTHER_NUMBER, vendor_lead_id="v1", zip="1", after=HOUR),
        ],
        "updated",
    ),
    "two callbacks end with two leads whose time is over": (
        [
            post(vendor_lead_id="v1", hours_to_expire=1, schedule_callback_in_seconds="60"),
            post(caller_id=OTHER_NUMBER, hours_to_expire=1, schedule_callback_in_seconds="60"),
            post(caller_id=OTHER_NUMBER, vendor_lead_id="v1", zip="1", after=HOUR),
        ],
        "updated",
    ),
    "a vendor's id of a schedule's lead yields to the lead that has the number there": (
        [
            post("second"),
            post("cars", "create_or_update", vendor_lead_id="v1"),
            post("second", caller_id=OTHER_NUMBER),
            post("cars", caller_id=OTHER_NUMBER, vendor_lead_id="v1"),
        ],
        "updated",
    ),
    "and takes the number from one there whose time is over": (
        [
            post("second"),
            post("cars", "create_or_update", vendor_lead_id="v1"),
            post("second", caller_id=OTHER_NUMBER, hours_to_expire=1),
            post("cars", caller_id=OTHER_NUMBER, vendor_lead_id="v1", after=HOUR),
        ],
        "updated",
    ),
    "a vendor's opt-out counts again though another lead has the number": (
        [
            post(vendor_lead_id="v1", opt_out=True),
            managed("edit", caller_id=OTHER_NUMBER),
            post(zip="1"),
            post("second", key="manages", opt_out=False),
            post(vendor_lead_id="v1", opt_out=True),
        ],
        "updated",
    ),
    "a vendor's lead that has got another number is not blocked with the one that it had": (
        [
            post("second", vendor_lead_id="v1", blocked=True),
            managed("edit", caller_id=OTHER_NUMBER),
            post("second", vendor_lead_id="v1", blocked=True),
        ],
        "replayed",
    ),
    "a lead elsewhere under the offer is updated, and nothing is taken away": (
        [post("second"), post("cars", "create_or_update", delete_existing=True)],
        "updated",
    ),
    "a vendor's id of another number is no lead elsewhere: what is here goes, and a new one is made": (
        [
            post(caller_id=FICTION, vendor_lead_id="v2"),
            post("first", "create_or_update", vendor_lead_id="v2", delete_existing=True),
        ],
        "created",
    ),
    "a lead whose time to be deleted has come cannot be updated": (
        [post(expires_in=60), named("lead_update", zip="1", after=HOUR)],
        "not_found",
    ),
    "nor do the actions of a schedule's end follow for it": (
        [post(expires_in=60), named("lead_move_to_end_of_schedule", after=HOUR)],
        "not_found",
    ),
    "nor is it the live lead of its number": (
        [post(expires_in=60), Step(Ask("caller_move_to_end_of_schedule", "first", number=NUMBER), after=HOUR)],
        "no_matching_lead",
    ),
    "but it hears an opt-out": ([post(expires_in=60), named("lead_opt_out", after=HOUR)], "updated"),
    "and it is restored": ([post(expires_in=60), managed("restore", after=HOUR)], "updated"),
    "what was deleted a month ago is not there to be deleted again": (
        [post(), managed("delete"), managed("delete", after=timedelta(days=31))],
        "not_found",
    ),
    "whatever state of it an edit rests on": (
        [
            post(),
            managed("delete"),
            Step(Ask("restore", "", {}, 0, stale=True), "manages", timedelta(days=31)),
        ],
        "not_found",
    ),
    "a lead that its time deleted stays when it is restored": (
        [post(expires_in=60), post(after=HOUR), named("lead_remove", 1), managed("restore"), post(zip="1")],
        "updated",
    ),
    "the order of wishes that are left undone does not count": (
        [
            post(idempotency_key="k1", blocked=False, unblock_contact=True),
            post(unblock_contact=True, blocked=False, idempotency_key="k1"),
        ],
        "key replayed",
    ),
    "nor does the spelling of a number in the path": (
        [
            post(),
            Step(Ask("caller_opt_out", "first", {"idempotency_key": "k1"}, number="17192221234")),
            Step(Ask("caller_opt_out", "first", {"idempotency_key": "k1"}, number=NUMBER)),
        ],
        "key replayed",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_the_model_has_found_stays_mended(app: Flask, name: str) -> None:
    steps, came_to = FOUND[name]
    assert [kind(outcome) for outcome in run(make_world(app), steps)][-1] == came_to
