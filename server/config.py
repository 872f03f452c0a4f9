"""Settings: each environment variable with its type, its default and one sentence, in one place."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import EnvError, FileAwareEnv
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from server.errors import SettingError
from server.lib import email

PROJECT = Path(__file__).resolve().parent.parent
LEADS = "/api/v1/leads"
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
# One name or several, of what needs no escape.
PATH = re.compile(r"(?:/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)+", re.A | re.I)


def setting(variable: str, default: Any, sentence: str, shown: str | None = None, secret: bool = False) -> Any:
    """One setting. `shown` is the default as the README prints it; a secret may come as `<variable>_FILE` too."""
    about = {
        "variable": variable,
        "sentence": sentence,
        "shown": shown or str(default or ""),
        "secret": secret,
    }
    return field(default=default, metadata=about)


def limit(variable: str, default: int, what: str) -> Any:
    """A rate limit."""
    return setting(variable, default, f"How many requests a minute {what}, up to 1000000; 0 is no limit.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment says, checked; made once, at the start."""

    data_dir: Path = setting(
        "HANDRAISER_DATA_DIR",
        PROJECT / "var",
        "The folder under which everything that the product writes lies.",
        shown="var/",
    )
    database_url: str = setting(
        "DATABASE_URL",
        "",
        "The database: postgresql://user:password@host/name, or sqlite:///path. To another machine we speak TLS;"
        " ?sslmode=disable at the end switches that off.",
        shown="SQLite in the data folder",
        secret=True,
    )
    statement_seconds: int = setting(
        "HANDRAISER_STATEMENT_SECONDS",
        30,
        "How many seconds PostgreSQL may work on one statement of a request, from 1 to 3600; then the answer is 503.",
    )
    secret_key: str = setting(
        "HANDRAISER_SECRET_KEY",
        "",
        "What secrets are encrypted with at rest, 32 characters or more; several machines need the same one.",
        shown="a file in the data folder",
        secret=True,
    )
    public_url: str = setting(
        "HANDRAISER_PUBLIC_URL",
        "",
        "The address under which the world reaches this installation, such as https://leads.example.com.",
        shown="the host of each request",
    )
    host: str = setting("HANDRAISER_HOST", "127.0.0.1", "The IP address to listen on; 0.0.0.0 is all of them.")
    port: int = setting("HANDRAISER_PORT", 8000, "The port to listen on, from 1 to 65535.")
    trusted_proxies: int = setting(
        "HANDRAISER_TRUSTED_PROXIES",
        0,
        "How many proxies in front add to X-Forwarded-For, from 0 to 9; only their entries are believed.",
        shown="0",
    )
    workers: int = setting(
        "HANDRAISER_WORKERS",
        0,
        "How many web processes run, from 1 to 256; SQLite takes one.",
        shown="1 on SQLite, one a core on PostgreSQL",
    )
    threads: int = setting(
        "HANDRAISER_THREADS",
        0,
        "How many threads each web process has, from 1 to 512; on SQLite they wait together for one commit.",
        shown="64 on SQLite, 2 on PostgreSQL",
    )
    body_seconds: int = setting(
        "HANDRAISER_BODY_SECONDS",
        10,
        "How many seconds the body of a request may take, from 1 to 600, and one more for each 64 KB that have come.",
    )
    token_names: int = setting(
        "HANDRAISER_TOKEN_NAMES",
        2000,
        "How many token names a company may have, from 1 to 100000, half of which pages may use up; what leads bring"
        " under further ones is kept in the token extra.",
    )
    snippet_path: str = setting(
        "HANDRAISER_SNIPPET_PATH",
        "/s",
        "The path under which landing pages fetch their script, such as /s or /assets/forms; not below /api.",
    )
    leads_path: str = setting(
        "HANDRAISER_LEADS_PATH",
        LEADS,
        "The path to which pages send leads, such as /contact, not below /api; /api/v1/leads stays what it is.",
    )
    address_limit: int = limit(
        "HANDRAISER_ADDRESS_LIMIT", 120, "one address (of IPv6: one /64) may send from pages, as leads or questions"
    )
    number_limit: int = limit("HANDRAISER_NUMBER_LIMIT", 60, "pages may send for one number of a company")
    token_limit: int = limit(
        "HANDRAISER_TOKEN_LIMIT", 1200, "pages may send with one token that has no limit of its own"
    )
    burst_limit: int = setting(
        "HANDRAISER_BURST_LIMIT",
        30,
        "How many leads a minute one address may send with one token from pages, up to 1000000, before further ones are"
        " quarantined; 0 is no limit.",
    )
    stop_limit: int = setting(
        "HANDRAISER_STOP_LIMIT",
        30,
        "How many numbers an hour one address may opt out or block from a company's pages, up to 1000000, before"
        " further ones are quarantined; 0 is no limit.",
    )
    guess_limit: int = limit("HANDRAISER_GUESS_LIMIT", 60, "one address may send with a wrong API key or none")
    public_kilobytes: int = setting(
        "HANDRAISER_PUBLIC_KILOBYTES",
        64,
        "How many kilobytes a page may send as one lead, from 1 to 256; what is longer is refused with 413.",
    )
    refused_rows: int = setting(
        "HANDRAISER_REFUSED_ROWS",
        200,
        "How many refused submissions are kept an hour of one address with one token, where they come from pages or the"
        " token has ended, up to 1000000; further ones are only counted; 0 is no limit.",
    )
    refused_kilobytes: int = setting(
        "HANDRAISER_REFUSED_KILOBYTES",
        1000,
        "How many kilobytes of them are kept an hour, up to 1000000; 0 is no limit.",
    )
    redis_url: str = setting(
        "HANDRAISER_REDIS_URL",
        "",
        "Where all processes count together: redis://host:6379/0, rediss:// or redis+unix:///path.",
        shown="each process counts for itself",
        secret=True,
    )
    metrics: bool = setting(
        "HANDRAISER_METRICS",
        False,
        "Whether GET /metrics shows Prometheus metrics, true or false; keep the path private if you switch it on.",
        shown="false",
    )
    support_email: str = setting(
        "HANDRAISER_SUPPORT_EMAIL",
        "",
        "The e-mail address that the documentation names to who needs help.",
        shown="none is named",
    )
    log_level: str = setting(
        "HANDRAISER_LOG_LEVEL", "info", "The least level that is logged: debug, info, warning or error."
    )

    @property
    def database(self) -> str:
        """The SQLAlchemy URL, with the driver that we ship."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'handraiser.db'}"
        for prefix in ("postgresql://", "postgres://"):
            if url.startswith(prefix):
                url = "postgresql+psycopg://" + url.removeprefix(prefix)
        return url if url.startswith("sqlite") else with_tls(url)

    @property
    def url(self) -> str:
        """Where the product is found, as people are told."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def origins(self) -> frozenset[str]:
        """Under which addresses we are surely found: the public one, or else this machine's own names."""
        ports = ("", f":{self.port}")
        local = {f"http://{name}{port}" for name in LOCAL_NAMES for port in ports}
        return frozenset({self.url} if self.public_url else {self.url} | local)

    @property
    def on_sqlite(self) -> bool:
        """Which of the two databases it is."""
        return self.database.startswith("sqlite")

    @property
    def worker_count(self) -> int:
        """Web processes: one on SQLite, whose group commit lives in one process; else one a core."""
        return 1 if self.on_sqlite else self.workers or core_count()

    @property
    def thread_count(self) -> int:
        """Threads of a web process: on PostgreSQL more than two only fight for the interpreter."""
        return self.threads or (64 if self.on_sqlite else 2)

    @property
    def shares_metrics(self) -> bool:
        """Whether several processes count together."""
        return self.metrics and self.worker_count > 1

    @property
    def metrics_folder(self) -> Path:
        """Where they do."""
        return self.data_dir / "metrics"


def documented() -> Iterator[Field[Any]]:
    """The settings in the order of the README's table."""
    return iter(fields(Settings))


def core_count() -> int:
    """How many cores this process may use: in a container often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def from_environment() -> Settings:
    """Reads and checks every setting; raises SettingError with the sentence of the one that is wrong."""
    return Settings(**{each.name: read(each) for each in documented()})


def read(each: Field[Any]) -> Any:
    """The value of one setting, of the type of its default; `<variable>_FILE` may name a file that holds it."""
    variable, sentence = each.metadata["variable"], each.metadata["sentence"]
    env = FileAwareEnv()
    try:
        if not env.str(variable, "").strip():
            return each.default
        value = PARSERS[type(each.default)](env, variable)
        if not CHECKS.get(each.name, anything)(value):
            raise ValueError(value)
    except (EnvError, ValueError, OSError) as error:
        shown = "" if each.metadata["secret"] else f" It is {os.environ.get(variable, '')!r}."
        raise SettingError(f"{variable} is wrong. {sentence}{shown}") from error
    return value


PARSERS: dict[type, Callable[[FileAwareEnv, str], Any]] = {
    str: lambda env, variable: env.str(variable).strip(),
    int: lambda env, variable: env.int(variable),
    bool: lambda env, variable: env.bool(variable),
    type(PROJECT): lambda env, variable: env.path(variable).expanduser().resolve(),
}


def anything(value: Any) -> bool:
    """The check of a setting whose type says it all."""
    return True


def with_tls(database: str) -> str:
    """A PostgreSQL URL that asks for TLS unless it is for this machine, or says by name that it wants none. What libpq
    does by default, and with `allow` and `prefer`, is to go on without."""
    url = make_url(database)
    mode = url.query.get("sslmode") or os.environ.get("PGSSLMODE")
    hosts = [part for host in named_hosts(url) for part in host.split(",")]
    if all(map(is_local, hosts)) or mode not in (None, "allow", "prefer"):
        return database
    return url.update_query_dict({"sslmode": "require"}).render_as_string(hide_password=False)


def named_hosts(url: URL) -> list[str]:
    """Where libpq would connect to."""
    named = url.query.get("host") or url.host or os.environ.get("PGHOST", "")
    addresses = url.query.get("hostaddr") or os.environ.get("PGHOSTADDR", "")
    return [
        *([named] if isinstance(named, str) else named),
        *([addresses] if isinstance(addresses, str) else addresses),
    ]


def is_local(host: str) -> bool:
    """Whether a host, perhaps with a port, is this machine: a socket, `localhost` or an address of its loopback."""
    if host in ("", "localhost") or host.startswith(("/", "@", "localhost:")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name, _, port = host.rpartition(":")
        return port.isdigit() and bool(name) and ":" not in name and is_local(name)


def database_url(value: str) -> bool:
    """Whether it names one of the two databases, SQLite's by a file: each connection has a `:memory:` of its own."""
    try:
        url = make_url(value)
    except ArgumentError:
        return False
    if value.startswith("sqlite:///"):
        return url.database not in (None, "", ":memory:")
    return value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://"))


def plain_url(value: str) -> bool:
    """Whether it is scheme, host and port only: it goes into shell commands and links."""
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and f"{parts.scheme}://{parts.netloc}" == value


def redis_url(value: str) -> bool:
    """Whether it names a Redis, by its host or its socket."""
    parts = urlsplit(value)
    if parts.scheme == "redis+unix":
        return bool(parts.path)
    return parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0


def a_minute(value: int) -> bool:
    """Whether it is so many a minute."""
    return 0 <= value <= 1_000_000


def own_path(value: str) -> bool:
    """Whether it is a path of plain names that is none of the API's: blockers know the common ones."""
    return PATH.fullmatch(value) is not None and not value.startswith("/api/") and value != "/api"


CHECKS: dict[str, Callable[[Any], bool]] = {
    "database_url": database_url,
    "secret_key": lambda value: len(value) >= 32,
    "public_url": plain_url,
    "host": lambda value: bool(ip_address(value)),
    "port": lambda value: 1 <= value <= 65535,
    "trusted_proxies": lambda value: 0 <= value <= 9,
    "workers": lambda value: 1 <= value <= 256,
    "threads": lambda value: 1 <= value <= 512,
    "statement_seconds": lambda value: 1 <= value <= 3600,
    "body_seconds": lambda value: 1 <= value <= 600,
    "token_names": lambda value: 1 <= value <= 100_000,
    "snippet_path": own_path,
    "leads_path": lambda value: own_path(value) or value == LEADS,
    "address_limit": a_minute,
    "number_limit": a_minute,
    "token_limit": a_minute,
    "burst_limit": a_minute,
    "stop_limit": a_minute,
    "guess_limit": a_minute,
    "public_kilobytes": lambda value: 1 <= value <= 256,
    "refused_rows": a_minute,
    "refused_kilobytes": a_minute,
    "redis_url": redis_url,
    "support_email": lambda value: email.normalise(value) is not None,
    "log_level": lambda value: value in {"debug", "info", "warning", "error"},
}
