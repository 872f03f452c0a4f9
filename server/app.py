"""create_app: reads as a table of contents."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from server.api import (
    access,
    answers,
    batch,
    calls,
    configured,
    contacts,
    disclosures,
    embed,
    fields,
    health,
    lead_edits,
    lead_tokens,
    leads,
    observe,
    quarantine,
    records,
    snippets,
    submissions,
    throttle,
    token_names,
)
from server.api.application import Application
from server.companies import configuration
from server.config import LEADS, Settings, from_environment
from server.docs import routes
from server.leads.limits import Limits
from server.leads.room import Refusals
from server.lib import json, logs
from server.lib.db import CONNECT, db, sqlite_path, watch_postgres, watch_sqlite, write_lock
from server.lib.json import OrjsonProvider
from server.lib.ledger import Runner
from server.lib.private import keep_private
from server.lib.sqlite_ledger import SqliteRunner
from server.lib.vault import Vault

# How leads are sent, and what browsers ask before.
SENDING = frozenset({"POST", "PUT", "OPTIONS"})
SLASHES = re.compile("//+")


def create_app(settings: Settings | None = None) -> Flask:
    """The application; raises SettingError when the environment is wrong."""
    settings = settings or from_environment()
    logs.configure(settings.log_level)
    keep_private(settings.data_dir, sqlite_path(settings.database) if settings.on_sqlite else None)
    app = Application("server", static_folder=None)
    app.json = OrjsonProvider(app)
    app.extensions["vault"] = Vault(settings.data_dir / "secret.key", settings.secret_key)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database,
        # PostgreSQL spells a large float in all its digits; orjson, unlike Python's own reader, reads a float again.
        SQLALCHEMY_ENGINE_OPTIONS={"json_deserializer": json.load}
        | ({} if settings.on_sqlite else {"pool_pre_ping": True, "connect_args": CONNECT}),
        DATA_DIR=str(settings.data_dir),
        URL=settings.url,
        ORIGINS=settings.origins,
        PUBLIC_URL=settings.public_url.rstrip("/"),
        SUPPORT_EMAIL=settings.support_email,
        SNIPPET_PATH=settings.snippet_path,
        LEADS_PATH=settings.leads_path,
        TOKEN_NAMES=settings.token_names,
        PUBLIC_BYTES=settings.public_kilobytes * 1000,
        METRICS=settings.metrics,
        METRICS_SHARED=settings.shares_metrics,
    )
    db.init_app(app)
    configuration.watch(db.session)
    with app.app_context():
        app.extensions["ledger"] = make_runner(settings)
    answers.register(app)
    observe.register(app, settings.metrics)
    throttle.register(app, settings)
    app.extensions["limits"] = Limits(
        throttle.limiter.limiter,
        settings.address_limit,
        settings.number_limit,
        settings.token_limit,
        settings.burst_limit,
        settings.stop_limit,
        Refusals(settings.refused_rows, settings.refused_kilobytes * 1000),
        settings.guess_limit,
    )
    CORS(
        app,
        send_wildcard=True,
        # Programs on any page may use the API; what people read is for our own pages.
        resources={r"/api/v1/.*": {}, r"/apispec_1\.json": {}},
        allow_headers=["Content-Type", "Authorization", "Idempotency-Key"],
        max_age=86400,
    )
    app.extensions["readiness"] = health.Readiness()
    for module in (leads, batch, lead_edits, records, submissions, quarantine, fields, calls, health):
        app.register_blueprint(module.blueprint)
    for module in (configured, disclosures, snippets, lead_tokens, contacts, token_names, access):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(embed.blueprint, url_prefix=settings.snippet_path)
    routes.register(app)
    app.wsgi_app = tidy_path(trust_proxies(app.wsgi_app, settings.trusted_proxies), settings.leads_path)  # type: ignore[method-assign,assignment]
    return app


def make_runner(settings: Settings) -> Runner:
    """What writes leads: group commit on SQLite, one statement on PostgreSQL."""
    if not settings.on_sqlite:
        from server.lib.postgres_ledger import PostgresRunner  # noqa: PLC0415 - 100 ms for psycopg, 0 on SQLite

        watch_postgres(db.engine, settings.statement_seconds)
        return PostgresRunner(settings.database, settings.statement_seconds)
    path = sqlite_path(settings.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = write_lock(settings.database)
    watch_sqlite(db.engine, lock)
    return SqliteRunner(path, lock)


Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def trust_proxies(wsgi: Any, count: int) -> Any:
    """Believes X-Forwarded-* as far as there are proxies of ours in front, and no further; of schemes, only the two in
    which anybody can ask us."""

    def with_known_scheme(environ: dict[str, Any], start_response: Any) -> Any:
        scheme = environ["wsgi.url_scheme"].lower()
        known = scheme if scheme in ("http", "https") else environ["werkzeug.proxy_fix.orig"]["wsgi.url_scheme"]
        environ["wsgi.url_scheme"] = known
        return wsgi(environ, start_response)

    return ProxyFix(with_known_scheme, x_for=count, x_proto=count, x_host=count) if count else wsgi


def tidy_path(wsgi: Wsgi, leads_path: str) -> Wsgi:
    """`.json` at the end of an API path changes nothing: old clients of TrackDrive's send it everywhere. Nor does a
    slash too many, of an address that was put together by hand: a redirect would lose the lead. What is sent to the
    path that an operator has named for leads is a lead; nothing is read there. Metrics have the one address
    that a proxy can close."""

    def tidied(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if "//" in path:
            # Routing leaves slashes at the beginning out, but not one at the end.
            path = environ["PATH_INFO"] = "/metrics/" if path.strip("/") == "metrics" else SLASHES.sub("/", path)
        if path.endswith(".json") and path.startswith("/api/v1/"):
            environ["PATH_INFO"] = path.removesuffix(".json")
        elif path == leads_path and environ["REQUEST_METHOD"] in SENDING:
            environ["PATH_INFO"] = LEADS
        return wsgi(environ, start_response)

    return tidied
