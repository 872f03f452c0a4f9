"""TrafficSource."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Model, unique_in_use


class TrafficSource(Model):
    """A channel that leads come from, under the id that the company itself gave it."""

    __tablename__ = "traffic_source"
    configures_intake = True
    __table_args__ = (unique_in_use("uq_traffic_source_text", "company_id", "user_traffic_source_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    user_traffic_source_id: Mapped[str]
    name: Mapped[str]
    # Whether the documentation names it to whoever has a lead token of the company.
    show_in_docs: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]
