"""Each request leaves one line in the log and counts in the metrics, and neither tells who the person is."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from server.lead_tokens.models import LeadToken
from server.lib.db import begin_write, commit, db
from tests.conftest import new_settings, opened
from tests.factories import Account, make_account
from tests.live import Live, running_server
from tests.unit import table

LEADS = "/api/v1/leads"
ROWS = table("logged_requests.csv")

# What the requests of the table say of a person, in any spelling; searched for without regard to case.
PERSONAL = ["7192221234", "222-1234", "7192221", "johnathan", "private.example", "privateson", "privateville"]

# The lines of the start begin with these.
START = ("Handraiser", "Database", "Workers", "Docs", "First")

# A row that the database refuses, in words that quote it where the database can.
BREAK = {
    "sqlite": "create trigger broken before insert on submission when new.received like '%break me%'"
    " begin select raise(abort, 'broken'); end",
    "postgresql": "alter table submission add constraint broken check (received not like '%break me%')",
}

# Requests on connections of their own, so that both workers get some.
MANY = 40


@dataclass(frozen=True)
class Watched:
    """A server that logs all and counts, and a company in its database."""

    live: Live
    account: Account
    client: httpx.Client
    secrets: dict[str, str]

    def send(self, method: str, url: str, **how: Any) -> httpx.Response:
        """One request on a connection of its own."""
        return self.client.request(method, self.live.url + url, **how)

    def lines(self) -> list[dict[str, Any]]:
        """The log; whatever else was printed after the start is no JSON and fails."""
        printed = [line for line in self.live.text.splitlines() if not line.startswith(START)]
        return [json.loads(line) for line in printed]

    def line(self, answer: httpx.Response) -> dict[str, Any]:
        """The one line of a request."""
        request_id = answer.headers["X-Request-Id"]
        [line] = [each for each in self.lines() if each["request_id"] == request_id and each["event"] == "request"]
        return line

    def counts(self, name: str) -> Counter[tuple[tuple[str, str], ...]]:
        """A counter's samples by their labels."""
        answer = self.send("GET", "/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain")
        families = text_string_to_metric_families(answer.text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return Counter({tuple(sorted(sample.labels.items())): int(sample.value) for sample in samples})


@pytest.fixture(scope="module")
def watched(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """On a database of its own, which refuses some rows; with two workers where that is possible."""
    settings = new_settings(database, request, tmp_path_factory.mktemp("watched"))
    more = {"HANDRAISER_LOG_LEVEL": "info", "HANDRAISER_METRICS": "true", "HANDRAISER_WORKERS": "2"}
    one_each = httpx.Limits(max_keepalive_connections=0)
    with running_server(settings, **more) as live, opened(settings) as app, httpx.Client(limits=one_each) as client:
        account = make_account(app, allowed_redirects=["https://thanks.example"])
        disabled = account.token(disabled_at=datetime.now(UTC))
        [first] = account.rows("select id from lead_token where value = :value", value=account.schedule_token)
        account.change(LeadToken, first["id"], allowed_redirects=["https://thanks.example"])
        with app.app_context():
            begin_write()
            db.session.execute(text(BREAK[database]))
            commit()
        basic = base64.b64encode(f"{account.public_key}:{account.private_key}".encode()).decode()
        secrets = {
            "TOKEN": account.schedule_token,
            "PUBLISHABLE": account.publishable_token,
            "DISABLED": disabled,
            "PRIVATE": account.private_key,
            "BASIC": basic,
        }
        yield Watched(live, account, client, secrets)


def filled(row: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    """A row of the table with its secrets."""
    done = dict(row)
    for name, value in secrets.items():
        done = {column: cell.replace(name, value) for column, cell in done.items()}
    return done


def send_row(watched: Watched, row: dict[str, str]) -> httpx.Response:
    """The request of a row."""
    filled_row = filled(row, watched.secrets)
    name, _, value = filled_row["header"].partition(": ")
    headers = {name: value} if name else {}
    if row["type"]:
        headers["Content-Type"] = row["type"]
    return watched.send(row["method"], filled_row["path"], content=filled_row["body"].encode(), headers=headers)


def token_in(row: dict[str, str], secrets: dict[str, str]) -> str:
    """The lead token that a row sends."""
    return next(secrets[name] for name in ("TOKEN", "PUBLISHABLE", "DISABLED") if name in row["path"] + row["body"])


# In every line, whatever was asked.
TECHNICAL = {"request_id", "ms", "event", "level", "timestamp"}


def test_each_request_has_one_line_that_names_no_person_and_no_secret(watched: Watched) -> None:
    sent = []
    for row in ROWS:
        answer = send_row(watched, row)
        line = watched.line(answer)
        assert str(answer.status_code) == row["status"], row["case"]
        wanted = {"method": row["method"] if row["method"].isalpha() else "-", "status": answer.status_code}
        wanted |= {name: row[name] for name in ("route", "action", "code") if row[name]}
        if row["company"]:
            wanted["company"] = watched.account.company_id
        if row["action"]:
            wanted["token"] = token_in(row, watched.secrets)[:8]
        told = {name: value for name, value in line.items() if name not in TECHNICAL}
        assert told == wanted, row["case"]
        assert 0 < line["ms"] < 60_000
        sent.append(json.dumps(filled(row, watched.secrets)))
    printed = watched.live.text.lower()
    for text_of_person in PERSONAL:
        assert text_of_person in "".join(sent).lower()
        assert text_of_person not in printed
    for secret in watched.secrets.values():
        assert secret in "".join(sent)
        assert secret.lower() not in printed
        assert secret[:12].lower() not in printed


def test_an_error_of_ours_is_logged_with_its_place_and_without_its_words(watched: Watched) -> None:
    [row] = [row for row in ROWS if row["status"] == "500"]
    answer = send_row(watched, row)
    request_id = answer.headers["X-Request-Id"]
    error, line = [each for each in watched.lines() if each["request_id"] == request_id]
    assert (error["event"], error["level"], line["event"]) == ("exception", "error", "request")
    assert error["kind"] in ("IntegrityError", "CheckViolation")
    assert any("server/leads" in frame for frame in error["frames"])
    assert error.keys() == {"event", "level", "timestamp", "request_id", "kind", "frames"}
    assert "break me" not in watched.live.text


def test_the_id_of_a_request_is_the_same_everywhere(watched: Watched) -> None:
    taken = {"lead_token": watched.secrets["TOKEN"], "caller_id": "+17192220001"}
    for sent in (taken, taken | {"caller_id": "911"}):
        answer = watched.send("POST", LEADS, json=sent)
        metadata = answer.json()["metadata"]
        request_id = answer.headers["X-Request-Id"]
        assert metadata["request_id"] == request_id
        assert UUID(request_id).version == 7
        assert watched.line(answer)["request_id"] == request_id
        find = "select id from submission where company_id = :company_id and request_id = :request_id"
        found = watched.account.rows(find, request_id=request_id)
        assert [row["id"] for row in found] == [metadata["submission_id"]]


def test_every_answer_has_an_id_of_its_own(client: FlaskClient) -> None:
    paths = ["/", "/healthz", "/readyz", "/metrics", "/nowhere", LEADS, f"{LEADS}/capture"]
    answers = [client.open(path, method=method) for path in paths for method in ("GET", "POST", "OPTIONS")]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(ids)) == len(answers)
    for answer in answers:
        metadata = (answer.get_json(silent=True) or {}).get("metadata")
        assert metadata is None or metadata["request_id"] == answer.headers["X-Request-Id"]


def test_metrics_are_off_unless_they_are_switched_on(client: FlaskClient, live: Live) -> None:
    client.get("/healthz")
    here, there = client.get("/metrics"), httpx.get(f"{live.url}/metrics")
    assert (here.status_code, there.status_code) == (404, 404)
    for content in (here.get_data(as_text=True), there.text):
        assert "handraiser_requests_total" not in content
        assert "HANDRAISER_METRICS" in content


def test_metrics_count_what_all_workers_do(watched: Watched, database: str) -> None:
    submissions, requests = "handraiser_submissions_total", "handraiser_requests_total"
    before, requests_before = watched.counts(submissions), watched.counts(requests)
    for number in range(MANY):
        sent = {"lead_token": watched.secrets["TOKEN"], "caller_id": f"+1719333{number:04}"}
        watched.send("POST", LEADS, json=sent if number % 4 else sent | {"caller_id": "911"})
    wanted = {
        (("action", "created"), ("code", "")): MANY * 3 // 4,
        (("action", "refused"), ("code", "invalid_caller_id")): MANY // 4,
    }
    # Whichever worker answers knows of both.
    for _ in range(4):
        assert watched.counts(submissions) - before == wanted
    counted = watched.counts(requests) - requests_before
    posts = {dict(labels)["status"]: count for labels, count in counted.items() if ("method", "POST") in labels}
    assert posts == {"200": MANY * 3 // 4, "422": MANY // 4}
    folder = watched.live.settings.data_dir / "metrics"
    workers = {path.stem.rpartition("_")[2] for path in folder.glob("counter_*.db")}
    assert len(workers) == (2 if database == "postgresql" else 0)


def test_metrics_time_the_requests(watched: Watched) -> None:
    name = "handraiser_request_seconds_count"
    labels = (("route", LEADS),)
    before = watched.counts(name)[labels]
    watched.send("POST", LEADS)
    assert watched.counts(name)[labels] == before + 1


def test_metrics_name_no_person_no_secret_and_nothing_that_a_stranger_chose(watched: Watched) -> None:
    answers = [send_row(watched, row) for row in ROWS]
    shown = watched.send("GET", "/metrics").text.lower()
    for word in [*PERSONAL, *watched.secrets.values(), *(secret[:8] for secret in watched.secrets.values())]:
        assert word.lower() not in shown
    methods = {dict(labels)["method"] for labels in watched.counts("handraiser_requests_total")}
    assert methods == {row["method"] for row in ROWS if row["method"].isalpha()} | {"-"}
    # A script that is not there is a comment.
    refusals = [answer for answer in answers if answer.status_code >= 400 and answer.text.startswith("{")]
    codes = {answer.json()["code"] for answer in refusals}
    counted = {dict(labels)["code"] for labels in watched.counts("handraiser_submissions_total")}
    assert "lead_token_invalid" in counted & codes


def test_a_request_too_many_is_logged_and_counted_and_kept_nowhere(watched: Watched) -> None:
    token = watched.account.token(kind="publishable", per_minute_limit=1)
    counted = (("action", "limited"), ("code", "rate_limited"))
    before = watched.counts("handraiser_submissions_total")[counted]
    # Each worker counts for itself, and a minute may begin meanwhile.
    answers = [watched.send("POST", LEADS, json={"lead_token": token, "caller_id": "911"}) for _ in range(5)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    for answer in limited:
        line = watched.line(answer)
        wanted = {"action": "limited", "code": "rate_limited", "token": token[:8], "status": 429}
        assert line | wanted | {"company": watched.account.company_id} == line
    assert watched.counts("handraiser_submissions_total")[counted] - before == len(limited)
    kept = "select id from submission where company_id = :company_id and request_id = :request_id"
    found = [watched.account.rows(kept, request_id=answer.headers["X-Request-Id"]) for answer in answers]
    assert sum(map(len, found)) == len(answers) - len(limited)


def test_the_log_says_who_has_revealed_a_lead_token(watched: Watched) -> None:
    [token] = watched.account.rows("select id from lead_token where value = :v", v=watched.secrets["TOKEN"])
    [key] = watched.account.rows("select id from api_key where company_id = :company_id")
    answer = watched.send("GET", f"/api/v1/lead_tokens/{token['id']}/reveal", headers=watched.account.bearer)
    assert answer.json()["lead_token"]["value"] == watched.secrets["TOKEN"]
    line = watched.line(answer)
    assert (line["company"], line["api_key"], line["revealed"]) == (watched.account.company_id, key["id"], token["id"])
    assert watched.secrets["TOKEN"][:8] not in str(line)
