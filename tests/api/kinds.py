"""The kinds of things that are managed by API, as the tests of all of them need to know them.

Whoever adds a resource adds its Kind here: `test_manage.py` then makes, changes, deletes and restores one, and
`test_tenants.py` lets another company try the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import Json, refused
from tests.factories import Account

API = "/api/v1"
# What stands beside the one thing, in the answer that makes it.
SHOWN_ONCE = {"password", "private"}
# A version of a disclosure that may be published.
VERSION: Json = {
    "text": "Acme Solar may call with an autodialer. Consent is not a condition of purchase. Reply STOP to opt out.",
    "label": "I agree",
    "seller_name": "Acme Solar",
    "terms_url": "https://shop.example/terms",
    "privacy_url": "https://shop.example/privacy",
}
# Numbers of which each is asked for once.
_numbers = count(1)


@dataclass(frozen=True)
class Kind:
    """One kind: how one is made, what is changed of it, and how the database keeps it."""

    one: str
    many: str
    # A body that makes one; called twice, it makes two.
    body: Callable[[Account], Json]
    # A body that changes it, and what the row holds then.
    change: Json
    reads: str = "config:read"
    writes: str = "config:write"
    # The parameter that two in use cannot share; None where they may share all.
    unique: str | None = None
    # Whether a deleted one keeps it, and whether it cannot be changed.
    kept: bool = False
    fixed: bool = False
    # The columns that the change moves, where they are not those of its parameters.
    moves: tuple[str, ...] = ()
    # Whether intake reads it.
    configures: bool = True
    # The parameters that hold ids of other things: the answer to one of another company names them.
    references: tuple[str, ...] = ()
    # What a creation shows and nothing else does.
    secrets: tuple[str, ...] = ()
    # What is shown whole by a creation, and then masked.
    masked: tuple[str, ...] = ()
    # The column that says since when it is deleted.
    ended: str = "deleted_at"
    # Of LIST, CREATE, SHOW, UPDATE, DELETE, RESTORE, those that there are not.
    without: tuple[str, ...] = field(default=())

    @property
    def path(self) -> str:
        """Where the list is."""
        return f"{API}/{self.many}"

    def make(self, client: FlaskClient, account: Account, **more: Any) -> Json:
        """One of them, as the answer to its creation shows it."""
        answer = client.post(self.path, json=self.body(account) | more, headers=account.bearer)
        return shown(answer, self.one)

    def row(self, account: Account, row_id: Any) -> Json:
        """What the database has of it."""
        [row] = account.rows(f'select * from "{self.one}" where company_id = :company_id and id = :id', id=row_id)
        return row


def shown(answer: TestResponse, one: str) -> Json:
    """The one thing that an answer shows."""
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    found: Json = body.pop(one)
    body.pop("warnings", None)
    assert set(body) <= SHOWN_ONCE
    assert answer.headers["ETag"] == f'"{found["updated_at"]}"'
    return found | body


def wrong(answer: TestResponse) -> dict[str, list[str]]:
    """The errors of an answer that refuses parameters."""
    errors: dict[str, list[str]] = refused(answer, "invalid_parameter")["errors"]
    assert answer.status_code == 422
    return errors


def new_number() -> str:
    """A number that no other call has answered."""
    return f"+1719555{2000 + next(_numbers):04}"


def new_word(start: str) -> str:
    """A word that no other call has answered."""
    # In the order of the alphabet they come as they were made.
    return f"{start}_{next(_numbers):06}"


KINDS = (
    Kind(
        one="offer",
        many="offers",
        body=lambda account: {"name": "Solar", "acceptance": {"duplicate_seconds": 60}},
        change={"name": "Solar roofs"},
        secrets=("lead_token",),
    ),
    Kind(
        one="schedule",
        many="schedules",
        body=lambda account: {"name": "Call twice", "offer_id": account.offer_id},
        change={"name": "Call thrice"},
        references=("offer_id",),
        secrets=("lead_token",),
    ),
    Kind(
        one="schedule_action",
        many="schedule_actions",
        body=lambda account: {"schedule_id": account.schedule_id, "kind": "sms", "config": {"text": "Hi [first_name]"}},
        change={"delay_seconds": 600},
        unique="position",
        references=("schedule_id",),
    ),
    Kind(
        one="traffic_source",
        many="traffic_sources",
        body=lambda account: {"name": "Bing"},
        change={"name": "Bing Ads"},
        unique="user_traffic_source_id",
    ),
    Kind(
        one="contact_field_type",
        many="contact_field_types",
        body=lambda account: {"key": new_word("life"), "name": "Life insurance"},
        change={"name": "Life"},
        unique="key",
    ),
    Kind(
        one="contact_field",
        many="contact_fields",
        body=lambda account: {"offer_id": account.offer_id, "key": new_word("zip"), "name": "ZIP code"},
        change={"hint": "Five digits"},
        unique="key",
        references=("offer_id",),
    ),
    Kind(
        one="number",
        many="numbers",
        body=lambda account: {"number": new_number(), "name": "Radio"},
        change={"name": "TV"},
        unique="number",
    ),
    Kind(
        one="number_pool",
        many="number_pools",
        body=lambda account: {"schedule_id": account.schedule_id, "kind": "dial", "name": "All"},
        change={"name": "Everybody"},
        unique="position",
        references=("schedule_id",),
    ),
    Kind(
        one="lead_token",
        many="lead_tokens",
        body=lambda account: {
            "name": "Acme Leads",
            "schedule_id": account.schedule_id,
            "default_traffic_source_id": account.source_id,
        },
        change={"name": "Acme Leads 2"},
        references=("schedule_id", "default_traffic_source_id"),
        masked=("value",),
        ended="disabled_at",
    ),
    Kind(
        one="contact",
        many="contacts",
        body=lambda account: {"caller_id": new_number(), "opt_out": True},
        change={"blocked": True},
        reads="leads:read",
        writes="leads:update",
        unique="caller_id",
        fixed=True,
        moves=("blocked_at", "version"),
        without=("delete", "restore"),
    ),
    Kind(
        one="token",
        many="tokens",
        body=lambda account: {"name": new_word("loan_amount"), "kind": "numeric"},
        change={"description": "The amount that was asked for."},
        unique="name",
        kept=True,
        fixed=True,
        configures=False,
    ),
    Kind(
        one="disclosure",
        many="disclosures",
        body=lambda account: {"name": "Solar landing pages"},
        change={"name": "Roof landing pages"},
        configures=False,
    ),
    Kind(
        one="snippet",
        many="snippets",
        body=lambda account: {
            "name": "Solar landing page",
            "schedule_id": account.schedule_id,
            "traffic_source_id": account.source_id,
        },
        change={"name": "Roof landing page"},
        references=("schedule_id", "traffic_source_id"),
    ),
    Kind(
        one="user",
        many="users",
        body=lambda account: {"email": f"{new_word('john')}@example.com", "name": "John", "role": "agent"},
        change={"role": "manager"},
        reads="access:read",
        writes="access:write",
        unique="email",
        kept=True,
        fixed=True,
        secrets=("password",),
        ended="disabled_at",
    ),
    Kind(
        one="api_key",
        many="api_keys",
        body=lambda account: {"name": "Leads", "scopes": ["access:write"]},
        change={"name": "More leads"},
        reads="access:read",
        writes="access:write",
        secrets=("private",),
        ended="revoked_at",
    ),
)
