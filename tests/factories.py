"""Makes what tests need in the database; every keyword has a default."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from server.companies.models import Company
from server.companies.operations import create_company, create_key
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import PREFIX, create_token
from server.lib.db import Model, begin_write, commit, db
from server.lib.secrets import new_token
from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from server.sources.models import TrafficSource

DAY = 24 * 3600


@dataclass(frozen=True)
class Account:
    """A company and the texts that open it."""

    app: Flask
    company_id: int
    private_key: str
    public_key: str
    offer_id: int
    schedule_id: int
    action_id: int
    source_id: int
    schedule_token: str
    offer_token: str
    publishable_token: str
    vendor_token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The headers of a request with all scopes."""
        return {"Authorization": f"Bearer {self.private_key}"}

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """What a query finds; `:company_id` is ours."""
        with self.app.app_context():
            found = db.session.execute(text(sql), {"company_id": self.company_id} | values)
            rows = [{name: alike(name, value) for name, value in row.items()} for row in found.mappings()]
            db.session.rollback()
        return rows

    def execute(self, sql: str, **values: Any) -> None:
        """Changes what is stored behind everybody's back; `:company_id` is ours."""
        with self.app.app_context():
            begin_write()
            db.session.execute(text(sql), {"company_id": self.company_id} | values)
            commit()

    def leads(self) -> list[dict[str, Any]]:
        """Every lead of the company, oldest first."""
        return self.rows("select * from lead where company_id = :company_id order by created_at, id")

    def submissions(self) -> list[dict[str, Any]]:
        """Every submission of the company, oldest first."""
        return self.rows("select * from submission where company_id = :company_id order by created_at, id")

    def change(self, model: type[Model], row_id: int, **values: Any) -> None:
        """Changes the configuration as the console would."""
        with self.app.app_context():
            begin_write()
            row = db.session.get_one(model, row_id)
            for name, value in values.items():
                setattr(row, name, value)
            commit()

    def add(self, row: Model) -> int:
        """Adds a row of the configuration; its id."""
        with self.app.app_context():
            begin_write()
            db.session.add(row)
            db.session.flush()
            row_id: int = row.id  # type: ignore[attr-defined]
            commit()
        return row_id

    def token(self, **about: Any) -> str:
        """A further lead token of the schedule (or of the owner that is named)."""
        known: dict[str, Any] = {"owner_kind": "schedule", "owner_id": self.schedule_id, "name": "Further"}
        with self.app.app_context():
            begin_write()
            value = create_token(self.company_id, **(known | about)).value
            commit()
        return value

    def key(self, *scopes: str) -> dict[str, str]:
        """The headers of a further key with these scopes."""
        with self.app.app_context():
            begin_write()
            _, private = create_key(db.session.get_one(Company, self.company_id), "Further", list(scopes))
            commit()
        return {"Authorization": f"Bearer {private}"}


def alike(name: str, value: Any) -> Any:
    """A raw value, the same from both drivers: ids and times as their types say, JSON read, booleans as such."""
    if isinstance(value, UUID):
        return str(value)
    if name.endswith("_at") and isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if name.endswith("_at") and value is not None:
        return value.astimezone(UTC)
    if name in ("data", "config", "scopes") and isinstance(value, str):
        return json.loads(value)
    return bool(value) if name in ("is_live", "test") else value


def make_account(
    app: Flask,
    *,
    region: str = "US",
    time_zone: str = "UTC",
    require_authorization: bool = False,
    delay_seconds: int = DAY,
    source: str = "google_ads",
    allowed_origins: list[str] | None = None,
    allowed_redirects: list[str] | None = None,
) -> Account:
    """A company with an offer, a schedule of one action under it, a source, a key and a token of each kind."""
    with app.app_context():
        begin_write()
        company = create_company("Acme", region, time_zone, require_authorization)
        key, private = create_key(company, "All scopes")
        of_company: dict[str, Any] = {"company_id": company.id}
        known = TrafficSource(**of_company, user_traffic_source_id=source, name="Google Ads")
        offer = add(Offer(**of_company, name="Auto insurance"), known)
        schedule = add(Schedule(**of_company, offer_id=offer.id, name="Call now"))
        of_schedule = of_company | {"schedule_id": schedule.id}
        action = ScheduleAction(**of_schedule, position=1, kind="dial", delay_seconds=delay_seconds)
        owned = of_company | {"owner_kind": "schedule", "owner_id": schedule.id}
        first = lead_token(**owned, name="First", shows_stored_lead=True)
        of_offer = lead_token(**of_company, owner_kind="offer", owner_id=offer.id, name="First", shows_stored_lead=True)
        vendor = lead_token(**owned, name="Vendor")
        page = lead_token(
            **owned,
            name="Page",
            kind="publishable",
            allowed_origins=allowed_origins or [],
            allowed_redirects=allowed_redirects or [],
        )
        add(action, first, of_offer, vendor, page)
        account = Account(
            app=app,
            company_id=company.id,
            private_key=private,
            public_key=key.public,
            offer_id=offer.id,
            schedule_id=schedule.id,
            action_id=action.id,
            source_id=known.id,
            schedule_token=first.value,
            offer_token=of_offer.value,
            publishable_token=page.value,
            vendor_token=vendor.value,
        )
        commit()
    return account


def lead_token(kind: str = "server", **about: Any) -> LeadToken:
    """A token as `create_token` makes it, but not added yet: each flush costs, and thousands of tests want four."""
    return LeadToken(kind=kind, value=new_token(PREFIX[kind]), **about)


def add(row: Any, *more: Any) -> Any:
    """A row with its id; those that are added with it have theirs."""
    db.session.add_all([row, *more])
    db.session.flush()
    return row
