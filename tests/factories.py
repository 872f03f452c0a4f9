"""Makes what tests need in the database; every keyword has a default."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import TextClause, text

from server.companies.models import ApiKey, Company
from server.companies.operations import create_key
from server.companies.rules import SCOPES
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import create_token
from server.lead_tokens.rules import PREFIX
from server.lib.db import Model, begin_write, commit, db
from server.lib.secrets import digest, new_secret, new_token
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
        with self.app.app_context(), db.engine.connect() as connection:
            found = connection.execute(statement(sql), {"company_id": self.company_id} | values)
            return [{name: alike(name, value) for name, value in row.items()} for row in found.mappings()]

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


@cache
def statement(sql: str) -> TextClause:
    """A query, read for its parameters once: tests ask the same ones thousands of times."""
    return text(sql)


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


def make_account(app: Flask, **about: Any) -> Account:
    """A company with an offer, a schedule of one action under it, a source, a key and a token of each kind."""
    [account] = make_accounts(app, 1, **about)
    return account


def make_accounts(
    app: Flask,
    count: int,
    *,
    region: str = "US",
    time_zone: str = "UTC",
    require_authorization: bool = False,
    delay_seconds: int = DAY,
    source: str = "google_ads",
    allowed_origins: list[str] | None = None,
    allowed_redirects: list[str] | None = None,
) -> list[Account]:
    """So many companies that are alike: three flushes make one, and the same three make a score."""
    settings = {"region": region, "time_zone": time_zone, "require_authorization": require_authorization}
    of_page = {"allowed_origins": allowed_origins or [], "allowed_redirects": allowed_redirects or []}
    with app.app_context():
        begin_write()
        companies = [Company(name="Acme", **settings) for _ in range(count)]
        add(*companies)
        ids = [company.id for company in companies]
        privates = [new_secret() for _ in ids]
        keys = [api_key(company_id, private) for company_id, private in zip(ids, privates, strict=True)]
        sources = [TrafficSource(company_id=each, user_traffic_source_id=source, name="Google Ads") for each in ids]
        offers = [Offer(company_id=each, name="Auto insurance") for each in ids]
        add(*keys, *sources, *offers)
        schedules = [Schedule(company_id=each.company_id, offer_id=each.id, name="Call now") for each in offers]
        add(*schedules)
        rows = []
        for offer, schedule in zip(offers, schedules, strict=True):
            of_company = {"company_id": offer.company_id}
            of_schedule = of_company | {"owner_kind": "schedule", "owner_id": schedule.id}
            of_offer = of_company | {"owner_kind": "offer", "owner_id": offer.id}
            rows.append(
                (
                    ScheduleAction(
                        **of_company, schedule_id=schedule.id, position=1, kind="dial", delay_seconds=delay_seconds
                    ),
                    lead_token(**of_schedule, name="First", shows_stored_lead=True),
                    lead_token(**of_offer, name="First", shows_stored_lead=True),
                    lead_token(**of_schedule, name="Vendor"),
                    lead_token(**of_schedule, name="Page", kind="publishable", **of_page),
                )
            )
        add(*(row for of_one in rows for row in of_one))
        accounts = [
            Account(
                app=app,
                company_id=offer.company_id,
                private_key=private,
                public_key=key.public,
                offer_id=offer.id,
                schedule_id=action.schedule_id,
                action_id=action.id,
                source_id=known.id,
                schedule_token=first.value,
                offer_token=of_offer.value,
                publishable_token=page.value,
                vendor_token=vendor.value,
            )
            for private, key, known, offer, (action, first, of_offer, vendor, page) in zip(
                privates, keys, sources, offers, rows, strict=True
            )
        ]
        commit()
    return accounts


def api_key(company_id: int, private: str) -> ApiKey:
    """A key as `create_key` makes it, but not added yet: each flush costs, and thousands of tests want one."""
    return ApiKey(
        company_id=company_id,
        name="All scopes",
        public=new_token("key_"),
        private_hash=digest(private),
        scopes=sorted(SCOPES),
    )


def lead_token(kind: str = "server", **about: Any) -> LeadToken:
    """A token as `create_token` makes it, but not added yet."""
    return LeadToken(kind=kind, value=new_token(PREFIX[kind]), **about)


def add(row: Any, *more: Any) -> Any:
    """A row with its id; those that are added with it have theirs."""
    db.session.add_all([row, *more])
    db.session.flush()
    return row
