"""Limits by address for what is no lead: a flood of questions, and guesses at API keys.

Nothing is looked at before or after a request: a view that is decorated with `limiter.limit` asks for itself, and
decorating a blueprint would have no effect.
"""

from collections.abc import Callable

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter, RateLimitExceeded

from server.api.answers import error_answer
from server.config import Settings
from server.leads.limits import rate_limited
from server.lib.rate_limits import STRATEGY, network, seconds_until


def sender() -> str:
    """The address that a request counts for."""
    return network(request.remote_addr or "")


def a_minute(name: str) -> Callable[[], str]:
    """The limit of a setting, as the library reads it; 0 is none."""

    def limit() -> str:
        most = current_app.config[name]
        return f"{most} per minute" if most else ""

    return limit


def route() -> str:
    """What a request asked for. The library would take the endpoint, and look for the name of a view that has none."""
    return request.url_rule.rule if request.url_rule else ""


limiter = Limiter(sender, strategy=STRATEGY, request_identifier=route)


@limiter.shared_limit(a_minute("GUESS_LIMIT"), scope="auth_token")
def count_guess() -> None:
    """Counts a request whose API key is missing or wrong; who has a valid one is never counted, nor locked out."""


def register(app: Flask, settings: Settings) -> None:
    """Where it counts, what it lets through, and its answer."""
    app.config.update(
        ADDRESS_LIMIT=settings.address_limit,
        GUESS_LIMIT=settings.guess_limit,
        RATELIMIT_STORAGE_URI="handraiser-memory:",
    )
    if settings.redis_url:
        import server.lib.redis_limits  # noqa: F401, PLC0415 - 40 ms and 5 MB that few have a use for

        app.config.update(
            RATELIMIT_STORAGE_URI="handraiser-redis:", RATELIMIT_STORAGE_OPTIONS={"url": settings.redis_url}
        )
    # It hooks itself into every request unless it is there already, which would cost each lead a tenth.
    app.extensions["limiter"] = {limiter}
    limiter.init_app(app)

    @app.errorhandler(RateLimitExceeded)
    def limited(error: RateLimitExceeded) -> Response:
        met = limiter.current_limits[-1]
        seconds = seconds_until(limiter.limiter, met.limit, met.key)
        return error_answer(rate_limited({"auth_token" if error.limit.shared else "remote_ip": seconds}))
