"""take_lead: the one way in. It finds the token, makes the plan, and settles it with the database in one commit."""

from server.errors import Refused
from server.lead_tokens.queries import find_grant, find_grant_of
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads.accept import compare_patterns
from server.leads.admission import authorises, dry_run, no_token, powers_of
from server.leads.blur import blur_time
from server.leads.limits import Limits, check_guesses, check_limits, count_guess, is_burst, stops_many
from server.leads.params import sent_token
from server.leads.plan import Plan, make_plan
from server.leads.posting import Posting
from server.leads.room import keeping
from server.leads.settle import Taken, settle_or_refuse
from server.leads.state import StaleGrant
from server.lib.ledger import Runner

# A configuration that changes under a request this often is no configuration.
READINGS = 5


def take_lead(runner: Runner, posting: Posting, limits: Limits | None) -> Taken:
    """Creates or updates one lead, or refuses it; either way it is on record when this returns.

    Without `limits` it counts for none. Nothing is kept of what comes too often, nor where no such token exists, which
    raises Refused. Raises WriteFailed.
    """
    fresh = burst = many = False
    for _ in range(READINGS):
        grant = find_grant(sent_token(posting.tree)[0], fresh=fresh)
        if grant is None:
            raise no_token(posting)
        planned = plan_or_refusal(posting, grant, limits)
        limited = turned_away(limits, posting, grant, planned)
        if limited is not None:
            return limited
        if limits is not None:
            posting.keeping = keeping(limits.refusals, posting, grant, planned)
        if isinstance(planned, Plan) and planned.public:
            burst = planned.burst = burst or (limits is not None and is_burst(limits, grant, posting.remote_ip))
            many = planned.stops_many = many or (limits is not None and stops_many(limits, planned))
        try:
            taken = take_with(runner, posting, grant, planned)
        except StaleGrant:
            fresh, limits = True, None  # It has been counted.
            continue
        if isinstance(planned, Plan) and planned.public:
            blur_time(planned.phone.e164)
        return taken
    raise Refused("edit_conflict", "The configuration is changing right now", None, "Send the request again.")


def take_edit(runner: Runner, posting: Posting, token_id: int) -> Taken:
    """The same for a lead, or a submission, that an API key opens: its own token says which rules count, unless the
    key names another. Raises WriteFailed."""
    for _ in range(READINGS):
        try:
            grant = find_grant_of(token_id)
            return take_with(runner, posting, grant, plan_or_refusal(posting, grant))
        except StaleGrant:
            continue
    raise Refused("edit_conflict", "The configuration is changing right now", None, "Send the request again.")


def take_with(runner: Runner, posting: Posting, grant: Grant, planned: Plan | Refused) -> Taken:
    """Takes a lead under one reading of the configuration; raises StaleGrant if that has changed."""
    keep = not dry_run(posting)
    taken, record = runner.run(lambda ledger: settle_or_refuse(ledger, posting, grant, planned), keep)
    charge(posting, taken)
    if record is not None:
        record.remember()
    return taken


def charge(posting: Posting, taken: Taken) -> None:
    """Takes the room that a refusal has used up, which is counted only once it is on record."""
    if posting.keeping is not None and taken.kept_bytes:
        posting.keeping.charge(posting, taken.refusal, taken.kept_bytes)


def plan_or_refusal(posting: Posting, grant: Grant, limits: Limits | None = None) -> Plan | Refused:
    """What the request asks, or why it cannot be done; a refusal is a result here, for it is kept."""
    try:
        if not authorises(grant, posting):
            raise no_token(posting)
        check_guesses(limits, grant, posting.remote_ip)
        plan = make_plan(posting, grant)
    except Refused as error:
        if error.code == "key_invalid":
            count_guess(limits, grant, posting.remote_ip)
        return error
    compare_patterns(plan)
    return plan


def turned_away(limits: Limits | None, posting: Posting, grant: Grant, planned: Plan | Refused) -> Taken | None:
    """How a request ends that comes too often: nothing of it is kept, not even that it came.

    A token that does not count for it has its own limit and hears of none, as one that does not exist.
    """
    plan = planned if isinstance(planned, Plan) else None
    if limits is None or (plan is not None and plan.powers != PUBLIC and not grant.per_minute_limit):
        return None
    powers = plan.powers if plan else powers_of(posting, grant)[0]
    counts = authorises(grant, posting)
    try:
        if isinstance(planned, Refused) and planned.code == "rate_limited":
            raise planned
        check_limits(limits, grant, powers, posting.remote_ip if counts else None, plan.phone.e164 if plan else None)
    except Refused as error:
        return Taken(
            refusal=error if counts else no_token(posting),
            action="limited",
            company_id=grant.company_id,
            token=grant.value,
            redirects=grant.allowed_redirects if counts else frozenset(),
        )
    return None
