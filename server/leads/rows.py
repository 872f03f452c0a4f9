"""The arms of intake: the statements that write what was decided, the same on both databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from server.leads.models import Submission
from server.leads.state import COLUMNS
from server.lib.ledger import Arm, RowOf

UNCHANGING = frozenset({"id", "company_id", "created_at", "lead_token_id", "remote_ip"})
# What a new lead never has.
LATER = frozenset({"status_before_deletion", "next_action_before_deletion_at", "ended_at", "deleted_at"})


@lru_cache(maxsize=64)
def value_names(prefix: str) -> dict[str, str]:
    """The name of each column's value for a lead whose values are called so."""
    return {name: f"{prefix}_{name}" for name in COLUMNS}


def lead_values(prefix: str, lead: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a lead under the names that its statements know them by."""
    names = value_names(prefix)
    return dict(zip(names.values(), map(lead.__getitem__, names), strict=True))


def insert(table: str, columns: dict[str, str]) -> Arm:
    """An INSERT of one row; `columns` maps each column to the name of its value."""
    names, values = ", ".join(columns), ", ".join(f":{value}" for value in columns.values())
    return Arm(f"insert into {table} ({names}) select {values}", row=RowOf(table, columns))


NOTHING = {None}


@dataclass(frozen=True, slots=True)
class Lean:
    """An INSERT with every column, and the same without the columns that few rows fill: to send a NULL and to have
    the database read it costs as much as a value does."""

    whole: Arm
    lean: Arm
    rare: tuple[str, ...]

    def arm(self, values: Mapping[str, Any]) -> Arm:
        """The shorter one where it says the same."""
        return self.lean if set(map(values.__getitem__, self.rare)) == NOTHING else self.whole


def lean(table: str, columns: dict[str, str], rare: frozenset[str]) -> Lean:
    """Both spellings of an INSERT."""
    common = {name: value for name, value in columns.items() if name not in rare}
    return Lean(insert(table, columns), insert(table, common), tuple(columns[name] for name in sorted(rare)))


def same(*names: str) -> dict[str, str]:
    """Columns whose value has the same name."""
    return {name: name for name in names}


CONTACT_INSERT = lean(
    "contact",
    same("company_id", "caller_id", "blocked_at", "opted_out_at")
    | {"id": "contact_id", "version": "contact_version", "created_at": "now", "updated_at": "now"},
    rare=frozenset({"blocked_at", "opted_out_at"}),
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


@lru_cache(maxsize=64)
def stop_others(count: int) -> Arm:
    """Stops the number's leads but for the request's own, the one that it ends and so many others that it updates: one
    statement may write a row once."""
    others = "".join(f", :{other(index)}_id" for index in range(count))
    return Arm(
        "update lead set next_action_at = null, scheduled_callback_id = null, scheduled_callback_at = null,"
        " status = :stopped_status, updated_at = :now where company_id = :company_id and caller_id = :caller_id"
        f" and is_live and id not in (:lead_id, :ended_id{others})",
        optional=True,
    )


def other(index: int) -> str:
    """How the values of a further lead are called."""
    return f"other{index}"


@lru_cache(maxsize=64)
def lead_update(prefix: str) -> Arm:
    """Writes a lead whose values are called so, if it is as it was read."""
    changes = ", ".join(f"{name} = :{value}" for name, value in value_names(prefix).items() if name not in UNCHANGING)
    return Arm(f"update lead set {changes} where id = :{prefix}_id and updated_at = :{prefix}_read_at")


# A new lead shares some values with the rows that are written beside it; each is sent once.
LEAD_INSERT = lean(
    "lead",
    {name: value for name, value in value_names("lead").items() if name not in LATER}
    | same("company_id", "owner_kind", "owner_id", "contact_id", "caller_id")
    | {"lead_token_id": "token_id", "remote_ip": "submission_remote_ip", "created_at": "now"},
    rare=frozenset(
        [
            "contact_field_type",
            "lead_priority",
            "max_contact_attempts",
            "scheduled_callback_id",
            "scheduled_callback_at",
            "trackdrive_number",
            "sms_number",
            "expires_at",
            "deletes_at",
            "held_at",
            "held_by",
        ]
    ),
)
LEAD_END = Arm(
    "update lead set is_live = false, status = :ended_status, ended_at = :now, deleted_at = :ended_deleted_at,"
    " status_before_deletion = :ended_status_before, next_action_before_deletion_at = :ended_next_before,"
    " next_action_at = null, scheduled_callback_id = null, scheduled_callback_at = null, updated_at = :ended_now"
    " where id = :ended_id and updated_at = :ended_updated_at"
)
# Those that have ended already; the live one is ended by name, before its successor takes its place in the index.
DELETE_PAST = Arm(
    "update lead set deleted_at = :now, status_before_deletion = status, status = 'removed', updated_at = :now"
    " where company_id = :company_id and owner_kind = :owner_kind and owner_id = :owner_id"
    " and caller_id = :caller_id and not is_live and deleted_at is null",
    optional=True,
)
CALLBACK_INSERT = insert(
    "callback",
    same("company_id", "lead_id", "submission_id", "caller_id")
    | {"id": "callback_id", "due_at": "callback_at", "created_at": "now"},
)
STILL_OPEN = "done_at is null and cancelled_at is null"
CALLBACK_MOVE = Arm(
    "update callback set due_at = :callback_at, submission_id = :submission_id, caller_id = :caller_id"
    f" where id = :callback_id and {STILL_OPEN}"
)
# A callback goes where its lead goes, so that who blocks the number finds it.
CALLBACK_FOLLOW = Arm(
    f"update callback set caller_id = :caller_id where id = :held_callback_id and {STILL_OPEN}", optional=True
)


@lru_cache(maxsize=64)
def callback_cancel(prefix: str) -> Arm:
    """Cancels the callback of the lead whose values are called so."""
    return Arm(
        f"update callback set cancelled_at = :now where id = :{prefix}_callback_id and {STILL_OPEN}", optional=True
    )


CALLBACKS_STOP = Arm(
    "update callback set cancelled_at = :now where company_id = :company_id and caller_id = :caller_id"
    f" and {STILL_OPEN}",
    optional=True,
)
SUBMISSION_COLUMNS = tuple(column.name for column in Submission.__table__.columns)
SUBMISSION_INSERT = lean(
    "submission",
    {name: f"submission_{name}" for name in SUBMISSION_COLUMNS}
    | {"company_id": "company_id", "lead_token_id": "token_id", "vendor_id": "vendor_id", "created_at": "now"},
    rare=frozenset(
        [
            "api_key_id",
            "public_lead_id",
            "original_id",
            "replay_of_id",
            "code",
            "vendor_lead_id",
            "idempotency_key",
            "origin",
            "referrer",
            "purge_at",
            "released_at",
        ]
    ),
)
# Who comes first releases it; it is then what it would have been, but for the time at which it was judged.
SUBMISSION_RELEASE = Arm(
    "update submission set action = :submission_action, code = null, lead_id = :lead_id, purge_at = null,"
    " caller_id = :submission_caller_id, content_hash = :submission_content_hash, why = :submission_why,"
    " lead_updated_at = :submission_lead_updated_at, api_key_id = :submission_api_key_id, released_at = :now"
    " where company_id = :company_id and id = :submission_id and code = 'quarantined'"
)
# What repeated it did nothing then and does nothing now, but nobody has to look at it any more.
REPEATS_RELEASE = Arm(
    "update submission set released_at = :now"
    " where company_id = :company_id and vendor_id = :vendor_id and created_at >= :came_at"
    " and original_id = :submission_id and code = 'quarantined'",
    optional=True,
)
CONSENT_INSERT = lean(
    "consent_record",
    same("company_id", "submission_id")
    | {
        "evidence": "consent_evidence",
        "granted": "consent_granted",
        "content_hash": "consent_content_hash",
        "record": "consent_record",
    },
    rare=frozenset({"granted", "content_hash"}),
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


@lru_cache(maxsize=64)
def event_insert(prefix: str) -> Arm:
    """Word of what happened to the lead whose values are called so."""
    return insert(
        "outbox_event",
        same("company_id", "submission_id")
        | {"id": f"{prefix}_event_id", "kind": f"{prefix}_event", "lead_id": f"{prefix}_id", "created_at": "now"},
    )


# Merging two hashes of JSON is spelt differently; both take the new value of a name as a whole.
CALLS_UPDATE = {
    "sqlite": Arm(
        "update call set updated_at = :now, data = (select json_group_object(name, json(value)) from"
        " (select key as name, call.data -> ('$.\"' || key || '\"') as value from json_each(call.data)"
        " where key not in (select key from json_each(:tokens))"
        " union all select key, :tokens -> ('$.\"' || key || '\"') from json_each(:tokens)))"
        " where company_id = :company_id and caller_id = :caller_id"
        " and (offer_id = :calls_offer_id or schedule_id = :calls_schedule_id)",
        optional=True,
    ),
    "postgresql": Arm(
        "update call set updated_at = :now, data = data || cast(:tokens as jsonb)"
        " where company_id = :company_id and caller_id = :caller_id"
        " and (offer_id = :calls_offer_id or schedule_id = :calls_schedule_id)",
        optional=True,
    ),
}
KEPT_COLUMNS = same("company_id", "vendor_id", "lead_id", "submission_id", "content_hash") | {"created_at": "now"}
ANSWER_INSERT = insert(
    "idempotency_answer",
    KEPT_COLUMNS | {"id": "answer_id", "expires_at": "answer_expires_at"} | same("scope", "key", "answer"),
)
# An expired key starts anew; naming the old submission makes the one who comes first the only one.
ANSWER_RENEW = Arm(
    "update idempotency_answer set lead_id = :lead_id, submission_id = :submission_id, content_hash = :content_hash,"
    " answer = :answer, created_at = :now, expires_at = :answer_expires_at where company_id = :company_id"
    " and vendor_id = :vendor_id and scope = :scope and key = :key and submission_id = :kept_submission_id"
)
VENDOR_INSERT = insert(
    "idempotency_answer",
    KEPT_COLUMNS | {"id": "vendor_answer_id", "scope": "vendor_scope", "key": "vendor_key"},
)
VENDOR_RENEW = Arm(
    "update idempotency_answer set lead_id = :lead_id, submission_id = :submission_id, content_hash = :content_hash"
    " where company_id = :company_id and vendor_id = :vendor_id and scope = :vendor_scope and key = :vendor_key"
    " and submission_id = :vendor_submission_id"
)
# Those who post at the same moment do not see each other's names; whoever comes after them finds no room.
HAD = "(select count(*) from token where company_id = :company_id and deleted_at is null)"
# A batch brings many at once; one more is for the token that takes in what has no room. Where there is none, a limit
# that is negative would fail on one database and be none on the other.
ROOM = f"{HAD} < :most_token_names limit abs(1 + cast(:most_token_names as integer) - {HAD})"
# Reading a JSON list as rows is the one thing that the two databases spell differently.
TOKENS_INSERT = {
    "sqlite": Arm(
        "insert into token (company_id, name, kind, created_at) select :company_id, value, 'text', :now"
        f" from json_each(:token_names) where {ROOM} on conflict do nothing",
        optional=True,
    ),
    "postgresql": Arm(
        "insert into token (company_id, name, kind, created_at)"
        " select cast(:company_id as integer), value, 'text', cast(:now as timestamptz)"
        " from jsonb_array_elements_text(cast(:token_names as jsonb)) as value"
        f" where {ROOM} on conflict do nothing",
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
