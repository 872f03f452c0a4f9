"""How often publishable powers may be used: by address, by number, by token."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from limits.strategies import RateLimiter

from server.errors import Refused
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads.accept import stops
from server.leads.plan import Plan
from server.leads.room import Refusals
from server.lib.rate_limits import HOUR, Budget, network, spend

# What is wrong with each parameter that came too often. How much is too much is not said: it is the owner's affair.
TOO_OFTEN = {
    "remote_ip": "has sent as much as one address may in a minute",
    "caller_id": "has been sent as often as one number may in a minute",
    "lead_token": "has been used as often as it may in a minute",
    "payload_secret": "has been wrong as often as it may from one address in a minute",
    "auth_token": "has been missing or wrong as often as it may from one address in a minute",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a minute may bring to publishable powers; 0 is no limit. What comes beyond `burst` is not turned away but
    quarantined."""

    counts: RateLimiter
    address: int
    number: int
    token: int
    burst: int
    # How many numbers an hour one address may stop in a company.
    stops: int = 0
    refusals: Refusals = field(default_factory=lambda: Refusals(0, 0))
    # How many wrong secrets a minute one address may send with a token.
    guesses: int = 0


def check_limits(limits: Limits, grant: Grant, powers: str, address: str | None, caller_id: str | None) -> None:
    """Counts one request; raises Refused where it is one too many, and counts nothing then.

    `caller_id` is the number in E.164, if one was read.
    """
    spent = spend(limits.counts, budgets(limits, grant, powers, address, caller_id))
    if spent:
        raise rate_limited(spent)


def count_stranger(limits: Limits, address: str | None) -> None:
    """Counts a request without a token that there is against its address; raises Refused where it is one too many."""
    if limits.address and address:
        spent = spend(limits.counts, {"remote_ip": Budget(limits.address, ("address", network(address)))})
        if spent:
            raise rate_limited(spent)


def guesses_at(limits: Limits | None, grant: Grant, address: str | None) -> Budget | None:
    """What wrong guesses at a token's secret draw on; None where there is nothing to guess, or no limit."""
    if limits is None or not limits.guesses or not address or grant.payload_secret is None:
        return None
    return Budget(limits.guesses, ("proof", str(grant.token_id), network(address)))


def check_guesses(limits: Limits | None, grant: Grant, address: str | None) -> None:
    """Raises Refused, before any secret is compared, where an address has guessed at it too often."""
    budget = guesses_at(limits, grant, address)
    if limits is not None and budget is not None and not budget.test(limits.counts):
        raise rate_limited({"payload_secret": budget.seconds_left(limits.counts)})


def count_guess(limits: Limits | None, grant: Grant, address: str | None) -> None:
    """Counts a wrong secret; a right one never counts."""
    budget = guesses_at(limits, grant, address)
    if limits is not None and budget is not None:
        budget.take(limits.counts)


def budgets(limits: Limits, grant: Grant, powers: str, address: str | None, caller_id: str | None) -> dict[str, Budget]:
    """What the request draws on, by the parameter that says so. Server powers have no limit but the token's own."""
    drawn: dict[str, Budget] = {}
    most = grant.per_minute_limit or (limits.token if powers == PUBLIC else 0)
    if most:
        drawn["lead_token"] = Budget(most, ("token", str(grant.token_id)))
    if powers != PUBLIC:
        return drawn
    if limits.address and address:
        drawn["remote_ip"] = Budget(limits.address, ("address", network(address)))
    if limits.number and caller_id:
        drawn["caller_id"] = Budget(limits.number, ("number", str(grant.company_id), caller_id))
    return drawn


def is_burst(limits: Limits, grant: Grant, address: str | None) -> bool:
    """Counts one lead of a page, and tells whether its address has sent more with this token than people fill in. Of a
    token with a limit of its own its owner has said how much is right: a call centre's staff share one address."""
    if not limits.burst or not address or grant.per_minute_limit:
        return False
    return not Budget(limits.burst, ("burst", str(grant.token_id), network(address))).take(limits.counts)


def stops_many(limits: Limits, plan: Plan) -> bool:
    """Counts one number that a page stops, and tells whether its address has stopped more in this company than people
    have."""
    address = plan.posting.remote_ip
    if not limits.stops or not address or not plan.public or plan.dry_run or not stops(plan):
        return False
    owner = ("stops", str(plan.grant.company_id), network(address))
    return not Budget(limits.stops, owner, HOUR).take(limits.counts)


def rate_limited(spent: Mapping[str, int]) -> Refused:
    """The refusal of what came too often, by parameter with the seconds to wait."""
    seconds = max(spent.values())
    said = "; ".join(f"{name} {TOO_OFTEN[name]}" for name in spent)
    return Refused(
        "rate_limited",
        "Too many requests",
        {name: [TOO_OFTEN[name]] for name in spent},
        f"Too many requests: {said}. Nothing was done. Wait for {seconds} s.",
        retry_after=seconds,
    )
