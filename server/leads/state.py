"""What is stored that bears on a plan: the statements that read it, the same on both databases."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from server.errors import HIDDEN
from server.lead_tokens.rules import Grant
from server.leads.models import Lead
from server.leads.plan import Plan
from server.lib import json
from server.lib.ledger import Ledger
from server.offers.acceptance import StoredFacts


class StaleGrant(Exception):
    """The company's configuration has changed since the grant was read: read it again, decide again."""


COLUMNS = tuple(column.name for column in Lead.__table__.columns)


def as_text(table: str, name: str) -> str:
    """A column as both drivers hand it over alike: ids and JSON as text."""
    kind = type(Lead.__table__.columns[name].type).__name__
    return f"cast({table}.{name} as text)" if kind in ("Id", "JSON") else f"{table}.{name}"


LEAD = ", ".join(as_text("lead", name) for name in COLUMNS)
CONTACT = (
    "company.config_version, cast(contact.id as text), contact.version, contact.blocked_at, contact.opted_out_at,"
    " contact.suppressed_at"
)
OF_NUMBER = "company left join contact on contact.company_id = company.id and contact.caller_id = :caller_id"
NUMBER = f"select {CONTACT} from {OF_NUMBER} where company.id = :company_id"
# A lead with the latest submission that was taken for it, which tells a double click; a replay did nothing.
LATEST = f"latest.content_hash, latest.created_at, latest.lead_updated_at, {LEAD}"
JOIN_LATEST = (
    " left join submission latest on latest.id = (select id from submission"
    " where submission.company_id = lead.company_id and submission.lead_id = lead.id"
    " and submission.action <> 'replayed' order by submission.created_at desc, submission.id desc limit 1)"
)
WITH_LATEST = (
    f"select {LATEST} from lead {JOIN_LATEST} where lead.company_id = :company_id and lead.caller_id = :caller_id"
)
# Where the values of CONTACT end in such a row, and where behind them and behind those of the latest submission the
# lead's id stands.
CONTACTS_VALUES = 6
LEADS_ID = CONTACTS_VALUES + 3 + COLUMNS.index("id")
OWN = "lead.owner_kind = :owner_kind and lead.owner_id = :owner_id"
LIVE_LEAD = f"{WITH_LATEST} and {OWN} and lead.is_live"
# Those that came last first.
OFFERS_LEADS = (
    f"{WITH_LATEST} and lead.is_live and (lead.offer_id = :offer_id or ({OWN}))"
    " order by lead.created_at desc, lead.id desc"
)
# The contact and the leads in one look, which is the same for a number that is known and for one that is not.
AT_ONCE, AT_ONCE_EVERYWHERE = (
    f"select {CONTACT}, {LATEST} from {OF_NUMBER} left join lead on lead.company_id = company.id"
    f" and lead.caller_id = :caller_id and lead.is_live and {which} {JOIN_LATEST}"
    " where company.id = :company_id order by lead.created_at desc, lead.id desc"
    for which in (OWN, f"(lead.offer_id = :offer_id or ({OWN}))")
)
# A number's leads under one owner: the live one, else the one that came last.
LEAD_OF_NUMBER = (
    f"select {LEAD} from lead where lead.company_id = :company_id and lead.caller_id = :caller_id and {OWN}"
    " and lead.deleted_at is null order by lead.is_live desc, lead.created_at desc, lead.id desc limit 1"
)
NAMED_LEAD = f"select {LEAD} from lead where lead.company_id = :company_id and lead.id = :named_id"
KEPT_ANSWER = (
    "select content_hash, cast(lead_id as text), cast(submission_id as text), answer, expires_at"
    " from idempotency_answer where company_id = :company_id and vendor_id = :vendor_id"
    " and scope = :scope and key = :key"
)
# What a guess that the number is new rests on.
NEW_NUMBER = (
    "select 1 from company where id = :company_id and config_version = :config_version and not exists"
    " (select 1 from contact where contact.company_id = :company_id and contact.caller_id = :caller_id)"
)
# Which of many numbers, or of many keys, are known. Reading a JSON list as rows is spelt differently.
LISTED = {
    "sqlite": "(select value from json_each(:wanted))",
    "postgresql": "(select jsonb_array_elements_text(cast(:wanted as jsonb)))",
}
KNOWN_NUMBERS = "select caller_id from contact where company_id = :company_id and caller_id in "
KNOWN_KEYS = (
    "select key from idempotency_answer where company_id = :company_id and vendor_id = :vendor_id"
    " and scope in ('server', 'public', 'vendor') and key in "
)
REFUSED_FOR = "select code from submission where company_id = :company_id and id = :submission_id"
TAKEN_REPLAY = (
    "select cast(lead_id as text), cast(id as text), action, why from submission"
    " where company_id = :company_id and replay_of_id = :replay_of_id and action <> 'refused'"
)
RELEASED = (
    "select cast(lead_id as text), cast(id as text), action, why from submission"
    " where company_id = :company_id and id = :submission_id and released_at is not null"
    " and lead_id is not null"
)
VERSION = "select config_version from company where id = :company_id"
# Of a number's leads those that count as there already: for a server not what only a page's consent holds.
COUNTED = (
    "company_id = :company_id and caller_id = :caller_id and deleted_at is null"
    " and (deletes_at is null or deletes_at > :now)"
    " and (:powers = 'public' or held_at is null or held_by is null or held_by <> 'public')"
)
FACTS = (
    f"select (select max(created_at) from lead where {COUNTED} and (:everywhere = 'yes' or ({OWN}))),"
    f" (select max(created_at) from lead where {COUNTED} and traffic_source_text = :source),"
    # All that was answered as taken: to count the leads alone would tell a page which numbers are known.
    " (select count(*) from submission where company_id = :company_id and created_at > :ip_since"
    " and (purge_at is null or purge_at > :now)"
    f" and remote_ip = :remote_ip and (action <> 'refused' or code in {tuple(sorted(HIDDEN))})"
    " and vendor_id in (select coalesce(first_id, id) from lead_token where company_id = :company_id"
    " and owner_kind = :owner_kind and owner_id = :owner_id))"
)


@dataclass(slots=True)
class ContactState:
    """What is known of the number."""

    id: str
    version: int
    blocked_at: datetime | None = None
    opted_out_at: datetime | None = None
    suppressed_at: datetime | None = None

    @property
    def stopped(self) -> bool:
        """Whether nothing may be planned for the number."""
        return self.stopped_status is not None

    @property
    def stopped_status(self) -> str | None:
        """What a live lead of the number is called meanwhile."""
        if self.blocked_at is not None or self.suppressed_at is not None:
            return "blocked"
        return "opt_out" if self.opted_out_at is not None else None


@dataclass(slots=True)
class KeptAnswer:
    """What an idempotency key or a vendor's id stands for; a key whose answer hides a refusal has no lead."""

    content_hash: str
    lead_id: str | None
    submission_id: str
    answer: str | None
    expires_at: datetime | None


@dataclass(slots=True)
class Done:
    """What came of a submission that was taken once more: the lead as it is now, and its number's contact."""

    submission_id: str | None
    action: str
    why: str
    lead: dict[str, Any]
    contact: ContactState | None


@dataclass(slots=True)
class Latest:
    """The latest submission that was taken for a lead."""

    content_hash: str | None
    at: datetime | None
    lead_updated_at: datetime | None


@dataclass(slots=True)
class State:
    """What is stored that bears on a plan: the number's contact, its live lead of the token's owner and those
    elsewhere under the offer, the lead that the path or the vendor's own id names, and what acceptance rules ask."""

    contact: ContactState | None
    live: dict[str, Any] | None
    elsewhere: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, Latest] = field(default_factory=dict)
    vendor: KeptAnswer | None = None
    vendor_lead: dict[str, Any] | None = None
    # Of its number, where that is not the number that was sent.
    vendor_contact: ContactState | None = None
    # The live lead of the number under the owner of the vendor's lead, where that is not the token's.
    rival: dict[str, Any] | None = None
    named: dict[str, Any] | None = None
    facts: StoredFacts | None = None

    def contact_of(self, lead: dict[str, Any], caller_id: str) -> ContactState | None:
        """The contact of a lead that may have another number than the one that was sent."""
        return self.contact if lead["caller_id"] == caller_id else self.vendor_contact


def instant(value: Any) -> Any:
    """SQLite hands times over as text."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def lead_row(values: tuple[Any, ...]) -> dict[str, Any]:
    """A lead as a dict of its columns."""
    row = dict(zip(COLUMNS, values, strict=True))
    for name in COLUMNS:
        if name.endswith("_at"):
            row[name] = instant(row[name])
    row["data"] = json.load(row["data"])
    row["is_live"], row["test"] = bool(row["is_live"]), bool(row["test"])
    return row


def check_version(ledger: Ledger, grant: Grant) -> None:
    """Raises StaleGrant if the configuration has moved on."""
    row = ledger.row(VERSION, {"company_id": grant.company_id})
    if row is None or row[0] != grant.config_version:
        raise StaleGrant


def read_state(ledger: Ledger, grant: Grant, caller_id: str, everywhere: bool = False) -> State:
    """The contact and the live lead of a number under the token's owner, with `everywhere` also those elsewhere under
    the offer; raises StaleGrant.

    Most numbers are new, and a lead has a contact always, so the lead is looked for only then. What changes between
    the two looks changes the contact's version too, which the write compares.
    """
    asked = owned(grant, caller_id)
    contact = read_contact(ledger, grant, asked)
    if contact is None:
        return State(None, None)
    state = State(contact, None)
    query, offer = (OFFERS_LEADS, {"offer_id": grant.offer_id}) if everywhere else (LIVE_LEAD, {})
    for each in ledger.rows(query, asked | offer):
        place_lead(state, grant, each)
    return state


def read_state_at_once(ledger: Ledger, grant: Grant, caller_id: str, everywhere: bool = False) -> State:
    """The same in one look, whatever is stored: how many looks there are must not tell a page which numbers are known.
    Raises StaleGrant."""
    query, offer = (AT_ONCE_EVERYWHERE, {"offer_id": grant.offer_id}) if everywhere else (AT_ONCE, {})
    rows = ledger.rows(query, owned(grant, caller_id) | offer)
    state = State(contact_state(grant, rows[0] if rows else None), None)
    for each in rows:
        if each[LEADS_ID] is not None:
            place_lead(state, grant, each[CONTACTS_VALUES:])
    return state


def place_lead(state: State, grant: Grant, row: tuple[Any, ...]) -> None:
    """Notes a live lead as the one of the token's owner, or as one elsewhere under the offer."""
    lead = live_lead(state, row)
    if owned_by(grant, lead):
        state.live = lead
    else:
        state.elsewhere.append(lead)


def read_contact(ledger: Ledger, grant: Grant, asked: dict[str, Any]) -> ContactState | None:
    """What is known of a number; raises StaleGrant."""
    return contact_state(grant, ledger.row(NUMBER, asked))


def contact_state(grant: Grant, row: tuple[Any, ...] | None) -> ContactState | None:
    """The contact of a row that begins with CONTACT; raises StaleGrant."""
    if row is None or row[0] != grant.config_version:
        raise StaleGrant
    return None if row[1] is None else ContactState(row[1], row[2], *map(instant, row[3:CONTACTS_VALUES]))


def live_lead(state: State, row: tuple[Any, ...]) -> dict[str, Any]:
    """A live lead, whose latest submission the state notes."""
    lead = lead_row(row[3:])
    state.latest[lead["id"]] = Latest(row[0], instant(row[1]), instant(row[2]))
    return lead


def owned_by(grant: Grant, lead: dict[str, Any]) -> bool:
    """Whether it is a lead of the token's own schedule or offer."""
    return (lead["owner_kind"], lead["owner_id"]) == (grant.owner_kind, grant.owner_id)


def read_vendors_lead(ledger: Ledger, grant: Grant, caller_id: str, state: State, vendor: KeptAnswer) -> None:
    """The lead that the vendor's own id names, and who has the number where that lead is at home."""
    lead = read_lead(ledger, grant.company_id, vendor.lead_id)
    state.vendor, state.vendor_lead = vendor, lead
    if lead is not None and lead["caller_id"] != caller_id:
        state.vendor_contact = read_contact(ledger, grant, owned(grant, lead["caller_id"]))
    if lead is not None and not owned_by(grant, lead):
        home = {name: lead[name] for name in ("company_id", "owner_kind", "owner_id")}
        rows = ledger.rows(LIVE_LEAD, home | {"caller_id": caller_id})
        found = [live_lead(state, row) for row in rows]
        state.rival = next((each for each in found if each["id"] != lead["id"]), None)


def owned(grant: Grant, caller_id: str) -> dict[str, Any]:
    """The values that find a number's leads under the token's owner."""
    return {
        "company_id": grant.company_id,
        "owner_kind": grant.owner_kind,
        "owner_id": grant.owner_id,
        "caller_id": caller_id,
    }


def read_lead(ledger: Ledger, company_id: int, lead_id: str | None) -> dict[str, Any] | None:
    """One lead by its id."""
    row = ledger.row(NAMED_LEAD, {"company_id": company_id, "named_id": lead_id})
    return lead_row(row) if row else None


def read_lead_of_number(ledger: Ledger, grant: Grant, caller_id: str) -> dict[str, Any] | None:
    """A number's lead under the token's owner: the live one, else the last that is not deleted."""
    row = ledger.row(LEAD_OF_NUMBER, owned(grant, caller_id))
    return lead_row(row) if row else None


def read_facts(ledger: Ledger, plan: Plan) -> StoredFacts:
    """What the acceptance rules of the token's owner ask of the database, but for the contact."""
    rules = plan.grant.acceptance
    asked = owned(plan.grant, plan.phone.e164) | {
        "everywhere": "yes" if rules.duplicate_scope == "company" else "no",
        "powers": plan.powers,
        "source": plan.attribution.text,
        "remote_ip": plan.posting.remote_ip,
        "now": plan.now,
        "ip_since": plan.now - timedelta(seconds=rules.ip_limit_seconds or 0),
    }
    row = ledger.row(FACTS, asked) or (None, None, 0)
    return StoredFacts(
        now=plan.now,
        latest_lead_at=instant(row[0]),
        latest_same_source_at=instant(row[1]),
        leads_from_ip=row[2],
    )


def read_kept(ledger: Ledger, grant: Grant, scope: str, key: str) -> KeptAnswer | None:
    """What a key of this token's vendor stands for."""
    asked = {"company_id": grant.company_id, "vendor_id": grant.vendor_id, "scope": scope, "key": key}
    row = ledger.row(KEPT_ANSWER, asked)
    return KeptAnswer(row[0], row[1], row[2], row[3], instant(row[4])) if row else None


def known_numbers(ledger: Ledger, grant: Grant, numbers: Iterable[str]) -> set[str]:
    """Those of these numbers that the company knows already; raises StaleGrant."""
    check_version(ledger, grant)
    asked = {"company_id": grant.company_id, "wanted": json.dump(list(numbers))}
    return {row[0] for row in ledger.rows(KNOWN_NUMBERS + LISTED[ledger.dialect], asked)}


def known_keys(ledger: Ledger, grant: Grant, keys: Collection[str]) -> set[str]:
    """Those of these keys, and of a vendor's own ids, that have come from this token's vendor before."""
    if not keys:
        return set()
    asked = {"company_id": grant.company_id, "vendor_id": grant.vendor_id, "wanted": json.dump(list(keys))}
    return {row[0] for row in ledger.rows(KNOWN_KEYS + LISTED[ledger.dialect], asked)}


def read_taken_replay(ledger: Ledger, grant: Grant, replay_of_id: str) -> Done | None:
    """What came of the replay of a submission, if one was taken: the unique index lets there be no second. Raises
    StaleGrant."""
    row = ledger.row(TAKEN_REPLAY, {"company_id": grant.company_id, "replay_of_id": replay_of_id})
    return done(ledger, grant, row)


def read_released(ledger: Ledger, grant: Grant, submission_id: str) -> Done | None:
    """What came of a submission that was released, if it was; raises StaleGrant."""
    row = ledger.row(RELEASED, {"company_id": grant.company_id, "submission_id": submission_id})
    return done(ledger, grant, row)


def done(ledger: Ledger, grant: Grant, row: tuple[Any, ...] | None) -> Done | None:
    """What came of a submission, from its lead's id, its own, its action and its reasons."""
    if row is None:
        return None
    lead_id, submission_id, action, why = row
    return Done(submission_id, action, why, *read_lead_now(ledger, grant, lead_id))


def read_lead_now(ledger: Ledger, grant: Grant, lead_id: str | None) -> tuple[dict[str, Any], ContactState | None]:
    """A lead that something was taken for, and its number's contact; raises StaleGrant."""
    lead = read_lead(ledger, grant.company_id, lead_id)
    if lead is None:
        raise LookupError(f"lead {lead_id}: what was taken has its lead")
    return lead, read_contact(ledger, grant, owned(grant, lead["caller_id"]))


def read_code(ledger: Ledger, grant: Grant, submission_id: str) -> str | None:
    """Why a submission was refused."""
    row = ledger.row(REFUSED_FOR, {"company_id": grant.company_id, "submission_id": submission_id})
    return row[0] if row else None
