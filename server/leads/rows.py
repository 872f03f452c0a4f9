"""The statements of intake: what a decision reads, and the arms that write it, the same on both databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.lead_tokens.rules import Grant
from server.leads.models import Lead, Submission
from server.lib import json
from server.lib.ledger import Arm, Ledger


class StaleGrant(Exception):
    """The company's configuration has changed since the grant was read: read it again, decide again."""


COLUMNS = tuple(column.name for column in Lead.__table__.columns)
# The name of each column's value in the statements.
LEAD_VALUES = {name: f"lead_{name}" for name in COLUMNS}
UNCHANGING = frozenset({"id", "company_id", "created_at", "lead_token_id", "remote_ip"})


def as_text(table: str, name: str) -> str:
    """A column as both drivers hand it over alike: ids and JSON as text."""
    kind = type(Lead.__table__.columns[name].type).__name__
    return f"cast({table}.{name} as text)" if kind in ("Id", "JSON") else f"{table}.{name}"


LEAD = ", ".join(as_text("lead", name) for name in COLUMNS)
NUMBER = (
    "select company.config_version, cast(contact.id as text), contact.version, contact.blocked_at, contact.opted_out_at"
    " from company left join contact on contact.company_id = company.id and contact.caller_id = :caller_id"
    " where company.id = :company_id"
)
LIVE_LEAD = (
    f"select latest.content_hash, latest.created_at, latest.lead_updated_at, {LEAD} from lead"
    " left join submission latest on latest.id = (select id from submission"
    " where submission.company_id = lead.company_id and submission.lead_id = lead.id"
    " order by submission.created_at desc, submission.id desc limit 1)"
    " where lead.company_id = :company_id and lead.owner_kind = :owner_kind and lead.owner_id = :owner_id"
    " and lead.caller_id = :caller_id and lead.is_live"
)
NAMED_LEAD = f"select {LEAD} from lead where lead.company_id = :company_id and lead.id = :named_id"
KEPT_ANSWER = (
    "select content_hash, cast(lead_id as text), cast(submission_id as text), answer, expires_at"
    " from idempotency_answer where company_id = :company_id and lead_token_id = :token_id"
    " and scope = :scope and key = :key"
)
# What a guess that the number is new rests on.
NEW_NUMBER = (
    "select 1 from company where id = :company_id and config_version = :config_version and not exists"
    " (select 1 from contact where contact.company_id = :company_id and contact.caller_id = :caller_id)"
)
VERSION = "select config_version from company where id = :company_id"


@dataclass(slots=True)
class ContactState:
    """What is known of the number."""

    id: str
    version: int
    blocked_at: datetime | None
    opted_out_at: datetime | None


@dataclass(slots=True)
class KeptAnswer:
    """What an idempotency key or a vendor's id stands for."""

    content_hash: str
    lead_id: str
    submission_id: str
    answer: str | None
    expires_at: datetime | None


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


def lead_values(lead: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a lead under the names that its statements know them by."""
    return dict(zip(LEAD_VALUES.values(), map(lead.__getitem__, LEAD_VALUES), strict=True))


def check_version(ledger: Ledger, grant: Grant) -> None:
    """Raises StaleGrant if the configuration has moved on."""
    row = ledger.row(VERSION, {"company_id": grant.company_id})
    if row is None or row[0] != grant.config_version:
        raise StaleGrant


@dataclass(slots=True)
class State:
    """What is stored that bears on a plan: the number's contact, the live lead of the token's owner with its latest
    submission, and the lead that the vendor's own id names."""

    contact: ContactState | None
    live: dict[str, Any] | None
    latest_hash: str | None = None
    latest_at: datetime | None = None
    latest_lead_updated_at: datetime | None = None
    vendor: KeptAnswer | None = None
    vendor_lead: dict[str, Any] | None = None


def read_state(ledger: Ledger, grant: Grant, caller_id: str) -> State:
    """The contact and the live lead of a number under the token's owner; raises StaleGrant.

    Most numbers are new, and a lead has a contact always, so the lead is looked for only then. What changes between
    the two looks changes the contact's version too, which the write compares.
    """
    asked = {
        "company_id": grant.company_id,
        "owner_kind": grant.owner_kind,
        "owner_id": grant.owner_id,
        "caller_id": caller_id,
    }
    row = ledger.row(NUMBER, asked)
    if row is None or row[0] != grant.config_version:
        raise StaleGrant
    if row[1] is None:
        return State(None, None)
    contact = ContactState(row[1], row[2], instant(row[3]), instant(row[4]))
    found = ledger.row(LIVE_LEAD, asked)
    if found is None:
        return State(contact, None)
    return State(contact, lead_row(found[3:]), found[0], instant(found[1]), instant(found[2]))


def read_lead(ledger: Ledger, company_id: int, lead_id: str) -> dict[str, Any] | None:
    """One lead by its id."""
    row = ledger.row(NAMED_LEAD, {"company_id": company_id, "named_id": lead_id})
    return lead_row(row) if row else None


def read_kept(ledger: Ledger, grant: Grant, scope: str, key: str) -> KeptAnswer | None:
    """What a key stands for under this token."""
    asked = {"company_id": grant.company_id, "token_id": grant.token_id, "scope": scope, "key": key}
    row = ledger.row(KEPT_ANSWER, asked)
    return KeptAnswer(row[0], row[1], row[2], row[3], instant(row[4])) if row else None


def insert(table: str, columns: dict[str, str]) -> Arm:
    """An INSERT of one row; `columns` maps each column to the name of its value."""
    names, values = ", ".join(columns), ", ".join(f":{value}" for value in columns.values())
    return Arm(f"insert into {table} ({names}) select {values}", inserts=True)


def same(*names: str) -> dict[str, str]:
    """Columns whose value has the same name."""
    return {name: name for name in names}


CONTACT_INSERT = insert(
    "contact",
    same("company_id", "caller_id", "blocked_at", "opted_out_at")
    | {"id": "contact_id", "version": "contact_version", "created_at": "now", "updated_at": "now"},
)
# Raising the version makes whoever blocks this number at the same moment come before us, or decide again after us:
# the statement that waited for this row would stop only the leads that were there when it began.
CONTACT_TOUCH = Arm(
    "update contact set version = version + 1, updated_at = :now where id = :contact_id and version = :contact_version"
)
CONTACT_CHANGE = Arm(
    "update contact set blocked_at = :blocked_at, opted_out_at = :opted_out_at, version = version + 1,"
    " updated_at = :now where id = :contact_id and version = :contact_version"
)
# Others than the request's own lead and the one that it ends: one statement may write a row once.
STOP_OTHERS = Arm(
    "update lead set next_action_at = null, status = :stopped_status, updated_at = :now"
    " where company_id = :company_id and caller_id = :caller_id and is_live and id not in (:lead_id, :ended_id)",
    optional=True,
)
# A new lead shares some of them with the rows that are written beside it; each is sent once.
LEAD_INSERT = insert(
    "lead",
    LEAD_VALUES
    | same("company_id", "contact_id", "caller_id")
    | {"lead_token_id": "token_id", "remote_ip": "submission_remote_ip", "created_at": "now"},
)
LEAD_UPDATE = Arm(
    "update lead set "
    + ", ".join(f"{name} = :lead_{name}" for name in COLUMNS if name not in UNCHANGING)
    + " where id = :lead_id and updated_at = :read_updated_at"
)
LEAD_END = Arm(
    "update lead set is_live = false, status = :ended_status, ended_at = :now, deleted_at = :ended_deleted_at,"
    " next_action_at = null, updated_at = :ended_now where id = :ended_id and updated_at = :ended_updated_at"
)
# Those that have ended already; the live one is ended by name, before its successor takes its place in the index.
DELETE_PAST = Arm(
    "update lead set deleted_at = :now, status = 'removed', updated_at = :now where company_id = :company_id"
    " and owner_kind = :lead_owner_kind and owner_id = :lead_owner_id and caller_id = :caller_id"
    " and not is_live and deleted_at is null",
    optional=True,
)
SUBMISSION_COLUMNS = tuple(column.name for column in Submission.__table__.columns)
SUBMISSION_INSERT = insert(
    "submission",
    {name: f"submission_{name}" for name in SUBMISSION_COLUMNS}
    | {"company_id": "company_id", "lead_token_id": "token_id", "created_at": "now"},
)
TOUCH_INSERT = insert(
    "touch",
    same("company_id", "lead_id")
    | {
        "id": "touch_id",
        "submission_id": "submission_id",
        "traffic_source_id": "touch_source_id",
        "traffic_source_text": "touch_source_text",
        "sub_id": "touch_sub_id",
        "created_at": "now",
    },
)
EVENT_INSERT = insert(
    "outbox_event",
    same("company_id", "lead_id", "submission_id") | {"id": "event_id", "kind": "event_kind", "created_at": "now"},
)
KEPT_COLUMNS = same("company_id", "lead_id", "submission_id", "content_hash") | {
    "lead_token_id": "token_id",
    "created_at": "now",
}
ANSWER_INSERT = insert(
    "idempotency_answer",
    KEPT_COLUMNS | {"id": "answer_id", "expires_at": "answer_expires_at"} | same("scope", "key", "answer"),
)
# An expired key starts anew; naming the old submission makes the one who comes first the only one.
ANSWER_RENEW = Arm(
    "update idempotency_answer set lead_id = :lead_id, submission_id = :submission_id, content_hash = :content_hash,"
    " answer = :answer, created_at = :now, expires_at = :answer_expires_at where company_id = :company_id"
    " and lead_token_id = :token_id and scope = :scope and key = :key and submission_id = :kept_submission_id"
)
VENDOR_INSERT = insert(
    "idempotency_answer",
    KEPT_COLUMNS | {"id": "vendor_answer_id", "scope": "vendor_scope", "key": "vendor_key"},
)
VENDOR_RENEW = Arm(
    "update idempotency_answer set lead_id = :lead_id, submission_id = :submission_id, content_hash = :content_hash"
    " where company_id = :company_id and lead_token_id = :token_id and scope = :vendor_scope and key = :vendor_key"
    " and submission_id = :vendor_submission_id"
)
# Reading a JSON list as rows is the one thing that the two databases spell differently.
TOKENS_INSERT = {
    "sqlite": Arm(
        "insert into token (company_id, name, kind, created_at) select :company_id, value, 'text', :now"
        " from json_each(:token_names) where true on conflict do nothing",
        optional=True,
    ),
    "postgresql": Arm(
        "insert into token (company_id, name, kind, created_at)"
        " select cast(:company_id as integer), value, 'text', cast(:now as timestamptz)"
        " from jsonb_array_elements_text(cast(:token_names as jsonb)) as value on conflict do nothing",
        optional=True,
    ),
}
TOKEN_USED = Arm("update lead_token set last_used_at = :now where id = :token_id")
# It notes the use as well: one statement may write a row once.
TOKEN_EXPOSED = Arm(
    "update lead_token set exposed_at = :now, exposed_origin = :exposed_origin, last_used_at = :now"
    " where id = :token_id and exposed_at is null",
    optional=True,
)
CONFIG_CHANGED = Arm("update company set config_version = config_version + 1 where id = :company_id")
