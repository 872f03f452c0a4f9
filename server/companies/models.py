"""Company, User and ApiKey."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Model


class Company(Model):
    """The tenant. `config_version` grows with each change of its configuration: what is cached compares with it."""

    __tablename__ = "company"
    configures_intake = True

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    region: Mapped[str] = mapped_column(default="US")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    require_authorization: Mapped[bool] = mapped_column(default=False)
    config_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class User(Model):
    """A person who signs in to one company's console."""

    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint("role in ('viewer', 'agent', 'manager', 'admin')", name="role"),
        CheckConstraint("email = lower(email)", name="email"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default="admin")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    disabled_at: Mapped[datetime | None]


class ApiKey(Model):
    """A pair of public and private key; of the private one only its digest is kept."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    name: Mapped[str]
    public: Mapped[str] = mapped_column(unique=True)
    private_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    revoked_at: Mapped[datetime | None]
