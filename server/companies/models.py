"""Company, User and ApiKey."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

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


class Person(Model):
    """Somebody with an e-mail address, who may be a user of several companies; none of them learns of the others."""

    __tablename__ = "person"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class User(Model):
    """What a person is in one company: all that the company's admins may see and change of them."""

    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint("role in ('viewer', 'agent', 'manager', 'admin')", name="role"),
        UniqueConstraint("company_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    # What the company calls the person.
    name: Mapped[str]
    # Of the password that this company has given out, which opens this company and no other.
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default="admin")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    disabled_at: Mapped[datetime | None]

    @property
    def email(self) -> str:
        """The person's address."""
        return self.person.email


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
