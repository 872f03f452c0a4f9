"""Examples in every language, run as they are shown: what arrives is what the sample holds, value by value."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.docs.languages import LANGUAGES, Sample, written
from server.docs.languages.sample import address
from server.docs.languages.shell import word
from server.docs.reading import read_reference
from server.docs.samples import sample_of
from server.docs.specification import build_specification
from tests.docs.interpreters import ALWAYS, LONG, Interpreter
from tests.docs.samples import TABLE, arrived, samples, to_arrive, to_arrive_by_url
from tests.factories import Account
from tests.live import Live

# What a text does is the same whatever database the server has.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")

URL = "https://your-domain.com"
PRIVATE = {"curl", "php", "python", "node", "ruby"}
HOSTILE = 'it\'s "q" $a `b` \\ #{c} !! é 🐈 </script>'


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """PHP and Ruby, which few machines have, are asked for by the long form."""
    if "interpreter" in metafunc.fixturenames:
        found = ALWAYS + (LONG if metafunc.config.getoption("--long") else [])
        metafunc.parametrize("interpreter", found, ids=str)


def codes(interpreter: Interpreter, asked: list[Sample], url: str) -> list[str]:
    """The samples in the language of an interpreter."""
    [language] = [each for each in LANGUAGES if each.key == interpreter.language]
    return [language.write(sample, url) for sample in asked]


@on_sqlite
def test_what_a_sample_holds_arrives(live: Live, account: Account, interpreter: Interpreter, tmp_path: Path) -> None:
    sent = samples(account.vendor_token)
    done = interpreter.answers(tmp_path, codes(interpreter, [*sent.values()], live.url))
    assert done.returncode == 0, done.stderr + done.stdout
    # curl shows there how far it is; in any other language it would be a warning.
    assert interpreter.language == "curl" or not done.stderr
    assert done.stdout.count('"action":"created"') == len(TABLE)
    assert arrived(account) == {name: to_arrive(sample) for name, sample in sent.items()}
    [key] = sent["a key against repeats"].headers.values()
    assert [row["idempotency_key"] for row in account.submissions() if row["idempotency_key"]] == [key]


@on_sqlite
def test_a_webhook_url_holds_all_of_a_lead(live: Live, account: Account, tmp_path: Path) -> None:
    sent = samples(account.vendor_token)
    [language] = [each for each in LANGUAGES if each.key == "webhook"]
    urls = [language.write(sample, live.url).strip() for sample in sent.values()]
    done = ALWAYS[0].answers(tmp_path, [f"curl -X POST {word(url)}" for url in urls])
    assert done.stdout.count('"action":"created"') == len(TABLE), done.stderr + done.stdout
    assert arrived(account) == {name: to_arrive_by_url(sample) for name, sample in sent.items()}


@on_sqlite
def test_a_private_key_opens_every_method(
    live: Live, account: Account, interpreter: Interpreter, tmp_path: Path
) -> None:
    offer = f"/api/v1/offers/{account.offer_id}"
    source = f"/api/v1/traffic_sources/{account.source_id}"
    asked = [
        by_key(account, "PUT", offer, body={"name": HOSTILE}),
        by_key(account, "GET", "/api/v1/leads", query={"number": "+17192221234", "per_page": 7}),
        by_key(account, "DELETE", source),
    ]
    done = interpreter.answers(tmp_path, codes(interpreter, asked, live.url))
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"per_page":7' in done.stdout
    [row] = account.rows("select name from offer where company_id = :company_id")
    assert row["name"] == HOSTILE
    [row] = account.rows("select deleted_at from traffic_source where company_id = :company_id")
    assert row["deleted_at"] is not None


def by_key(account: Account, method: str, path: str, **more: Any) -> Sample:
    """A request of somebody with a private key."""
    return Sample(method=method, path=path, bearer=account.private_key, **more)


@on_sqlite
def test_a_refusal_is_printed_and_ends_a_script_as_one(live: Live, interpreter: Interpreter, tmp_path: Path) -> None:
    sample = Sample(method="POST", path="/api/v1/leads", body={"lead_token": "unknown", "caller_id": "+17192221234"})
    done = interpreter.answers(tmp_path, codes(interpreter, [sample], live.url))
    assert json.loads(done.stdout)["code"] == "lead_token_invalid"
    # curl says so in what it prints, and older ones know no option that also does this.
    assert (done.returncode != 0) is (interpreter.language != "curl"), done.stderr


LEAD: dict[str, Any] = {"method": "POST", "path": "/api/v1/leads", "body": {"caller_id": "+17192221234"}}
EVERY = PRIVATE | {"jquery", "fetch", "webhook"}


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, EVERY),
        ({"path": "/api/v1/leads/create_or_update"}, EVERY),
        ({"path": "/api/v1/tokens/fields", "method": "GET"}, EVERY - {"webhook"}),
        # A page has not the powers for these.
        ({"path": "/api/v1/leads/batch"}, PRIVATE),
        ({"path": "/api/v1/leads/+17192221234/caller_opt_out", "method": "PUT"}, PRIVATE),
        ({"bearer": "0" * 32}, PRIVATE),
        ({"headers": {"authorization": "Token 0"}}, PRIVATE),
        ({"body": {"auth_token": "0"}, "form": True}, PRIVATE),
        ({"query": {"auth_token": "0"}}, PRIVATE),
    ],
)
def test_only_languages_that_make_sense_are_shown(about: dict[str, Any], expected: set[str]) -> None:
    shown = written(Sample(**LEAD | about), URL)
    assert {language.key for language, _ in shown} == expected
    assert [language for language, _ in shown] == [each for each in LANGUAGES if each.key in expected]


def test_what_is_shown_for_pages_is_what_a_page_may_send(app: Flask, client: FlaskClient, account: Account) -> None:
    refused = set()
    for method in read_reference(build_specification(app)).methods():
        for example in method.examples[:1] if "lead_token" in method.examples[0].query else ():
            sample = sample_of(method, example, account.vendor_token)
            body = {} if sample.body is None else {"data" if sample.form else "json": sample.body}
            page = {"Origin": "https://shop.example"}
            answer = client.open(address(sample, ""), method=sample.method, headers=page, **body)
            shown = {language.key for language, _ in written(sample, URL)}
            assert (answer.status_code == 200) is (shown >= {"jquery", "fetch"}), (method.page, answer.text)
            refused |= set() if answer.status_code == 200 else {answer.get_json()["code"]}
    assert refused == {"scope_missing"}


def test_a_note_says_what_to_mind_before_the_code_is_used(client: FlaskClient) -> None:
    page = client.get("/api/docs/1.0/leads_external/create.html", headers={"Accept": "text/html"}).text
    panels = dict(re.findall(r'data-language="(\w+)".*?</code></pre>(.*?)</div>', page, re.S))
    assert {key for key, rest in panels.items() if "use a publishable token" in rest} == {"jquery", "fetch"}
    assert {key for key, rest in panels.items() if "Have it sent with" in rest} == {"webhook"}


def test_the_webhook_url_has_no_key_that_would_make_one_lead_of_all() -> None:
    codes = {language.key: code for language, code in written(Sample(**LEAD, headers={"Idempotency-Key": "a1"}), URL)}
    assert codes.pop("webhook") == f"{URL}/api/v1/leads?caller_id=%2B17192221234\n"
    assert all("a1" in code for code in codes.values())


def test_what_nobody_would_see_is_written_out() -> None:
    for sample in samples("YOUR_TOKEN").values():
        for language, code in written(sample, URL):
            assert code.replace("\n", "").isprintable(), language.name


SEED = """\
$.ajax({
  url: "https://your-domain.com/api/v1/leads?lead_token=YOUR_TOKEN",
  method: "POST",
  data: {
    caller_id: "+17192221234",
    data: { loan_amount: "500" }
  }
})"""

CURL = """\
curl -X POST 'https://your-domain.com/api/v1/leads?lead_token=YOUR_TOKEN' \\
  --data-urlencode 'caller_id=+17192221234' \\
  --data-urlencode 'data[loan_amount]=500'
"""


def test_a_form_reads_as_people_know_it() -> None:
    body = {"caller_id": "+17192221234", "data": {"loan_amount": "500"}}
    sample = Sample(method="POST", path="/api/v1/leads", query={"lead_token": "YOUR_TOKEN"}, body=body, form=True)
    shown = {language.key: code for language, code in written(sample, URL)}
    assert shown["jquery"].startswith(SEED)
    assert shown["curl"] == CURL
