"""What a reviewed text lets go: the leads that were held for it, each on record with who and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import or_, select

from server.consent.models import ConsentRecord
from server.consent.texts import Match
from server.errors import Refused
from server.lead_tokens.queries import find_grant_of
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads.intake import READINGS, plan_or_refusal, take_with
from server.leads.models import Lead, Submission
from server.leads.posting import Posting
from server.leads.state import StaleGrant
from server.lib import clock, json
from server.lib.db import db
from server.lib.ledger import Runner

# So many leads are looked at in one statement, and let go for one request: each is a commit of its own.
PAGE = 200
MOST_RELEASED = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """A held lead, and the hashes of the texts that its visitors agreed to and that nobody had reviewed then."""

    lead_id: str
    token_id: int
    texts: frozenset[str]


@dataclass(slots=True)
class Released:
    """How many leads were let go, how many stay held for another text as well, and whether there are more to let go."""

    released: int = 0
    still_held: int = 0
    more: bool = False


def release_reviewed(runner: Runner, posting: Posting, company_id: int, texts: frozenset[str]) -> Released:
    """Lets the leads go that are held for one of these spellings of a text, as `posting` would release each of them.
    The review is committed before, so that whoever asks again goes on where this has ended. Raises WriteFailed."""
    done = Released()
    grants: dict[int, Grant] = {}
    after = ""
    while page := held_for(company_id, texts, after):
        for held in page:
            after = held.lead_id
            grant = grants.get(held.token_id) or grants.setdefault(held.token_id, find_grant_of(held.token_id))
            if not all(is_reviewed(grant, text) for text in held.texts):
                done.still_held += 1
            elif done.released == MOST_RELEASED:
                done.more = True
                return done
            else:
                done.released += release(runner, replace(posting, subject=held.lead_id), held.token_id, grants)
    return done


def is_reviewed(grant: Grant, text: str) -> bool:
    """Whether somebody stands by a text that visitors of this token agreed to."""
    known = grant.texts.by_text.get(text)
    return known is not None and known.reviewed


def release(runner: Runner, posting: Posting, token_id: int, grants: dict[int, Grant]) -> bool:
    """Lets one lead go through the gate that every edit passes; whether it was held still. Raises WriteFailed."""
    # A place of its own in the order of submissions.
    posting = replace(posting, now=clock.now())
    for _ in range(READINGS):
        try:
            taken = take_with(runner, posting, grants[token_id], plan_or_refusal(posting, grants[token_id]))
            return taken.action == "updated"
        except StaleGrant:
            grants[token_id] = find_grant_of(token_id)
    raise Refused("edit_conflict", "The configuration is changing right now", None, "Send the request again.")


def held_for(company_id: int, texts: frozenset[str], after: str) -> list[Held]:
    """The next held leads that one of these texts has to do with, each with all the texts that it is held for."""
    mentions = [ConsentRecord.record.contains(f'"text_hash":"{text}"', autoescape=True) for text in sorted(texts)]
    query = (
        select(Lead.id, Lead.lead_token_id, Lead.held_by)
        .join(Submission, Submission.lead_id == Lead.id)
        .join(ConsentRecord, ConsentRecord.submission_id == Submission.id)
        .where(Lead.company_id == company_id, Lead.held_at.is_not(None), Lead.is_live, or_(*mentions))
        .distinct()
        .order_by(Lead.id)
        .limit(PAGE)
    )
    # Not through the session: its transaction would stand in the way of the releases that follow.
    with db.engine.connect() as connection:
        leads = connection.execute(query.where(Lead.id > after) if after else query).all()
        records = connection.execute(
            select(Submission.lead_id, Submission.powers, ConsentRecord.record)
            .join(ConsentRecord, ConsentRecord.submission_id == Submission.id)
            .where(Submission.company_id == company_id, Submission.lead_id.in_([lead.id for lead in leads]))
        ).all()
    holding = {lead.id: lead.held_by for lead in leads}
    read = [(row.lead_id, json.load(row.record)) for row in records if holds(holding[row.lead_id], row.powers)]
    return [Held(lead.id, lead.lead_token_id, differing(lead.id, read)) for lead in leads]


def holds(held_by: str | None, powers: str) -> bool:
    """Whether a submission with these powers has a say: what a page claims holds nothing that a server has brought."""
    return powers != PUBLIC or held_by in (None, PUBLIC)


def differing(lead_id: str, read: Sequence[tuple[str, Mapping[str, Any]]]) -> frozenset[str]:
    """The texts that a lead's visitors agreed to and that were not those that were reviewed."""
    return frozenset(
        record["text_hash"]
        for of_lead, record in read
        if of_lead == lead_id and record["text_is"] == Match.DIFFERS and record["granted"] is True
    )
