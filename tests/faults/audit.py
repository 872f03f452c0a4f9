"""What is in the database, held against what the clients were told: all that could be wrong, by name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from server.lib.db import db
from tests.factories import DAY, Account
from tests.faults.load import Told

Row = dict[str, Any]
Faults = dict[str, list[str]]

# What a submission leaves: events in the outbox, and touches. Any other action leaves nothing.
EFFECTS: dict[str, tuple[list[str], int]] = {"created": (["lead.created"], 1), "updated": (["lead.updated"], 1)}
NO_EFFECTS: tuple[list[str], int] = ([], 0)


class Audit:
    """All rows of one company, and what was told to those who sent them."""

    def __init__(self, account: Account, told: Sequence[Told]) -> None:
        self.account = account
        self.told = told
        self.leads = {row["id"]: row for row in account.leads()}
        self.submissions = {row["id"]: row for row in account.submissions()}
        self.touches = account.rows("select submission_id, sub_id from touch where company_id = :company_id")
        self.events = account.rows("select submission_id, kind from outbox_event where company_id = :company_id")
        self.records = account.rows("select submission_id from consent_record where company_id = :company_id")
        self.keys = account.rows("select * from idempotency_answer where company_id = :company_id")

    def faults(self) -> Faults:
        """Every kind of fault that there is, with what has it."""
        found = {
            "lost lead": self.lost_leads(),
            "lead that nobody was told of": self.leads.keys() - {each.lead_id for each in self.told},
            "number with several leads": several(row["caller_id"] for row in self.leads.values()),
            "click without effect": self.clicks() - {row["sub_id"] for row in self.touches},
            "click with several effects": several(row["sub_id"] for row in self.touches),
            "lead that was overwritten by an older click": self.overwritten(),
            "lead without its one planned first action": self.unplanned(),
            "lead without its one first submission": self.unchained(),
            "submission without its effects": self.without_effects(),
            "submission without its one consent record": self.without_consent(),
            "replay of nothing": self.replays_of_nothing(),
            "key that does not answer as it did": self.strange_keys(),
            "row that points nowhere": orphans(self.account),
            "damaged file": damages(self.account),
        }
        return {name: sorted(which) for name, which in found.items() if which}

    def clicks(self) -> set[str]:
        """What was acknowledged."""
        return {each.click.name for each in self.told}

    def lost_leads(self) -> set[str]:
        """Acknowledged, and not there."""
        return {each.lead_id for each in self.told} - self.leads.keys()

    def overwritten(self) -> set[str]:
        """Who corrected a form wants the correction kept."""
        corrected = {each.click.number for each in self.told if each.click.page == "corrected"}
        of_those = [row for row in self.leads.values() if row["caller_id"] in corrected]
        return {row["id"] for row in of_those if row["data"]["page"] != "corrected"}

    def unplanned(self) -> set[str]:
        """Live leads wait for the schedule's first action, a day after they came; the others wait for nothing."""
        live = (True, self.account.action_id, timedelta(seconds=DAY))
        return {row["id"] for row in self.leads.values() if plan_of(row) not in (live, None)}

    def unchained(self) -> set[str]:
        """Leads that none of their submissions or more than one has made."""
        made = Counter(row["lead_id"] for row in self.submissions.values() if row["action"] == "created")
        return {lead_id for lead_id in self.leads if made[lead_id] != 1}

    def without_effects(self) -> set[str]:
        """Submissions that left more or less than their action says."""
        touched = Counter(row["submission_id"] for row in self.touches)
        told_of: defaultdict[str, list[str]] = defaultdict(list)
        for row in self.events:
            told_of[row["submission_id"]].append(row["kind"])
        return {
            row_id
            for row_id, row in self.submissions.items()
            if (told_of[row_id], touched[row_id]) != EFFECTS.get(row["action"], NO_EFFECTS)
        }

    def without_consent(self) -> set[str]:
        """Submissions that were taken and have no record, or were refused and have one; more than one there is not."""
        taken = {row_id for row_id, row in self.submissions.items() if row["action"] != "refused"}
        return taken ^ {row["submission_id"] for row in self.records}

    def replays_of_nothing(self) -> set[str]:
        """Replays that do not name the submission that the same key has had for the same lead."""
        same = ("lead_id", "idempotency_key")
        return {
            row["id"]
            for row in self.submissions.values()
            if row["action"] == "replayed"
            and not any(
                original["action"] in EFFECTS and all(original[name] == row[name] for name in same)
                for original in [self.submissions.get(row["original_id"])]
                if original is not None
            )
        }

    def strange_keys(self) -> set[str]:
        """Keys that would not answer as they did, where keys were sent."""
        answered = {(each.click.name, each.lead_id) for each in self.told}
        kept = {(row["key"], row["lead_id"]) for row in self.keys}
        return {key for key, _ in answered ^ kept} if kept else set()


def plan_of(lead: Row) -> tuple[bool, int, timedelta] | None:
    """What a lead waits for, if it does."""
    if lead["status"] == "completed" and lead["next_action_at"] is None:
        return None
    waits = (lead["next_action_at"] or lead["created_at"]) - lead["created_at"]
    return lead["is_live"], lead["next_action_id"], waits


def several(things: Iterable[str]) -> set[str]:
    """What is there more than once."""
    return {thing for thing, times in Counter(things).items() if times > 1}


def orphans(account: Account) -> set[str]:
    """Foreign keys whose other end is missing, as the database itself never should allow."""
    return {str(key.name) for key, query in pointers() if account.rows(query)}


def pointers() -> Iterator[tuple[Any, str]]:
    """Every foreign key and a query for its loose ends."""
    for table in db.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            [mine], [other] = key.columns, key.elements
            there = f'"{other.column.table.name}".{other.column.name}'
            yield (
                key,
                f'select 1 from "{table.name}" mine where mine.{mine.name} is not null'
                f' and not exists (select 1 from "{other.column.table.name}" where {there} = mine.{mine.name})',
            )


def damages(account: Account) -> list[str]:
    """What SQLite finds wrong with its file; PostgreSQL checks its pages when it reads them."""
    with account.app.app_context():
        if db.engine.dialect.name != "sqlite":
            return []
    said = [str(row) for row in account.rows("pragma integrity_check") if row != {"integrity_check": "ok"}]
    return said + [str(row) for row in account.rows("pragma foreign_key_check")]
