"""The commands that make a first company, as a shell runs them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text

from server.cli import register
from server.companies.models import ApiKey
from server.companies.rules import SCOPES
from server.config import PROJECT, Settings
from server.consent.rules import CONTENT
from server.lib.db import begin_write, commit, db
from tests.conftest import new_settings, opened
from tests.factories import DAY, alike
from tests.faults.place import PATIENCE

# What a demo leaves, however often it is made.
ROWS_OF_A_DEMO = {
    "company": 1,
    "person": 1,
    '"user"': 1,
    "api_key": 1,
    "offer": 1,
    "schedule": 1,
    "schedule_action": 1,
    "traffic_source": 1,
    "lead_token": 3,
    "snippet": 1,
    "disclosure": 1,
    "disclosure_version": 2,
}


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a database in which there is nothing at all."""
    return new_settings(database, request, tmp_path)


@pytest.fixture
def fresh(empty: Settings) -> Iterator[Flask]:
    """An application on it."""
    with opened(empty) as app:
        register(app)
        yield app


def demo(settings: Settings) -> dict[str, Any]:
    """What `./dev demo --json` prints."""
    environ = {"HANDRAISER_DATA_DIR": str(settings.data_dir), "DATABASE_URL": settings.database_url}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "server.cli", "demo", "--json"],
        cwd=PROJECT,
        env=os.environ | environ | {"HANDRAISER_PUBLIC_URL": "https://leads.example.com"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def run(app: Flask, *arguments: str) -> Result:
    """A command, in this process, under the context that the `flask` program gives it."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=arguments)


def refused(result: Result) -> str:
    """The sentence of a command that did nothing."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    return result.output.removeprefix("Error: ").strip()


def rows(app: Flask, sql: str) -> list[dict[str, Any]]:
    """What a query finds."""
    with app.app_context():
        found = db.session.execute(text(sql)).mappings().all()
        db.session.rollback()
    return [{name: alike(name, value) for name, value in row.items()} for row in found]


def bearer(private: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {private}"}


def test_a_demo_is_made_once_with_a_fresh_password_and_secret_each_time(empty: Settings, fresh: Flask) -> None:
    first, second = demo(empty), demo(empty)
    secrets = [made["api_key"].pop("private") for made in (first, second)]
    passwords = [made["user"].pop("password") for made in (first, second)]
    assert first == second
    client = fresh.test_client()
    answers = [client.get("/api/v1/leads", headers=bearer(secret)).status_code for secret in secrets]
    assert answers == [401, 200]
    [user] = rows(fresh, 'select * from "user"')
    assert user["password_hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PasswordHasher().verify(user["password_hash"], passwords[1])
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(user["password_hash"], passwords[0])
    assert {table: len(rows(fresh, f"select id from {table}")) for table in ROWS_OF_A_DEMO} == ROWS_OF_A_DEMO


def test_a_demo_holds_all_that_a_first_lead_needs(empty: Settings, fresh: Flask) -> None:
    made = demo(empty)
    assert made["url"] == "https://leads.example.com"
    assert made["user"].keys() == {"email", "password"}
    assert [row["name"] for row in rows(fresh, "select * from company where id = {company_id}".format(**made))] == [
        "Demo"
    ]
    [key] = rows(fresh, "select * from api_key")
    assert (key["public"], set(key["scopes"])) == (made["api_key"]["public"], set(SCOPES))
    [offer] = rows(fresh, "select * from offer")
    assert (offer["id"], offer["name"]) == (made["offer"]["id"], "Auto insurance")
    [schedule] = rows(fresh, "select * from schedule")
    assert (schedule["id"], schedule["name"]) == (made["schedule"]["id"], "Auto insurance: call now")
    assert schedule["offer_id"] == offer["id"]
    [source] = rows(fresh, "select id, user_traffic_source_id from traffic_source")
    assert source == made["traffic_source"] | {"user_traffic_source_id": "google_ads"}


def test_a_demo_has_a_snippet_whose_script_asks_for_consent_in_two_languages(fresh: Flask) -> None:
    made = json.loads(run(fresh, "demo", "--json").output)
    snippet, token = made["snippet"], made["schedule"]["publishable_lead_token"]
    assert snippet["url"] == f"{made['url']}/s/{token}.js"
    assert snippet["html"] == f'<script src="{snippet["url"]}" async></script>'
    client = fresh.test_client()
    assert '"languages":{"en":{' in client.get(f"/s/{token}.js").get_data(as_text=True)
    assert client.get(f"/s/{token}/check", headers={"Origin": "https://any.example"}).get_json()["learning"] is True
    for version in rows(fresh, "select * from disclosure_version"):
        content = {name: version[name] for name in CONTENT}
        answer = client.post("/api/v1/disclosures/lint", json=content, headers=bearer(made["api_key"]["private"]))
        assert answer.get_json()["lint"] == {"passes": True, "lacks": [], "warnings": []}, version["language"]


def test_a_demo_that_is_made_again_knows_the_scopes_that_have_come_since(fresh: Flask) -> None:
    made = json.loads(run(fresh, "demo", "--json").output)
    with fresh.app_context():
        begin_write()
        db.session.scalars(select(ApiKey)).one().scopes = ["leads:read"]
        commit()
    again = json.loads(run(fresh, "demo", "--json").output)
    [key] = rows(fresh, "select * from api_key")
    assert again["api_key"]["public"] == made["api_key"]["public"]
    assert set(key["scopes"]) == set(SCOPES)


def test_the_tokens_of_a_demo_take_leads_that_stay_live_for_a_day(fresh: Flask) -> None:
    made = json.loads(run(fresh, "demo", "--json").output)
    schedule, offer = made["schedule"], made["offer"]
    client = fresh.test_client()
    answers = [
        client.post(f"/api/v1/leads?lead_token={token}&caller_id=719222{place}000").get_json()["action"]
        for place, token in enumerate(
            (schedule["lead_token"], offer["lead_token"], schedule["publishable_lead_token"]), 1
        )
    ]
    assert answers == ["created", "created", "received"]
    leads = rows(fresh, "select * from lead order by caller_id")
    waits = [lead["next_action_at"] and lead["next_action_at"] - lead["created_at"] for lead in leads]
    assert waits == [timedelta(seconds=DAY), None, timedelta(seconds=DAY)]


def test_a_demo_shows_a_curl_command_that_sends_the_first_lead(fresh: Flask) -> None:
    said = run(fresh, "demo").output
    [token] = re.findall(
        r'curl -X POST "http://127\.0\.0\.1:8000/api/v1/leads\?lead_token=([0-9a-f]{32})&caller_id=', said
    )
    assert token == json.loads(run(fresh, "demo", "--json").output)["schedule"]["lead_token"]


def test_a_demo_is_refused_where_another_company_lives_unless_it_is_forced(fresh: Flask) -> None:
    assert run(fresh, "company", "create", "Acme").exit_code == 0
    assert refused(run(fresh, "demo", "--json")).endswith("Use --force to make it anyway.")
    assert [row["name"] for row in rows(fresh, "select name from company")] == ["Acme"]
    made = json.loads(run(fresh, "demo", "--json", "--force").output)
    assert [row["name"] for row in rows(fresh, "select name from company order by id")] == ["Acme", "Demo"]
    assert {row["company_id"] for row in rows(fresh, "select company_id from offer")} == {made["company_id"]}


def test_a_company_is_made_as_it_was_asked_for(fresh: Flask) -> None:
    asked = ("Acme", "--region", "GB", "--time-zone", "Europe/London", "--require-authorization")
    made = json.loads(run(fresh, "company", "create", *asked).output)
    [company] = rows(fresh, "select * from company")
    assert made == {"company_id": company["id"], "name": "Acme"}
    assert (company["name"], company["region"], company["time_zone"]) == ("Acme", "GB", "Europe/London")
    assert company["require_authorization"]


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--region", "uk", "'uk' is no region. Use two capital letters of ISO 3166, such as US or GB."),
        ("--time-zone", "London", "'London' is no time zone. Use a name such as America/New_York."),
    ],
)
def test_a_company_that_cannot_be_is_refused(fresh: Flask, option: str, value: str, sentence: str) -> None:
    assert refused(run(fresh, "company", "create", "Acme", option, value)) == sentence
    assert rows(fresh, "select * from company") == []


def test_a_key_opens_what_its_scopes_say(fresh: Flask) -> None:
    run(fresh, "company", "create", "Acme")
    every = json.loads(run(fresh, "key", "create", "All").output)
    narrow = json.loads(run(fresh, "key", "create", "Narrow", "--scope", "leads:read").output)
    assert (set(every["scopes"]), narrow["scopes"]) == (set(SCOPES), ["leads:read"])
    client = fresh.test_client()
    found = {
        (name, path): client.get(f"/api/v1/{path}", headers=bearer(key["private"])).status_code
        for name, key in (("every", every), ("narrow", narrow))
        for path in ("leads", "submissions")
    }
    assert found == {
        ("every", "leads"): 200,
        ("every", "submissions"): 200,
        ("narrow", "leads"): 200,
        ("narrow", "submissions"): 403,
    }
    stored = str(rows(fresh, "select * from api_key"))
    assert every["private"] not in stored
    assert every["public"] in stored


def test_a_key_needs_to_know_its_company_and_its_scopes(fresh: Flask) -> None:
    assert refused(run(fresh, "key", "create", "First")) == "There is no such company."
    run(fresh, "company", "create", "Acme")
    second = json.loads(run(fresh, "company", "create", "Other").output)["company_id"]
    assert refused(run(fresh, "key", "create", "First")) == "Say which company with --company ID."
    known = ("key", "create", "First", "--company", str(second))
    assert refused(run(fresh, *known, "--scope", "leads:all")).startswith("'leads:all' is no scope. The scopes are: ")
    assert rows(fresh, "select * from api_key") == []
    assert run(fresh, *known).exit_code == 0
    assert [row["company_id"] for row in rows(fresh, "select company_id from api_key")] == [second]
