"""Consent: each submission that is taken has one record; its evidence is computed and never taken from input."""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest
import rfc8785
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from server.consent.stamp import make_stamp
from server.consent.texts import MOST_UNREVIEWED
from server.lead_tokens import queries
from server.leads.schemas import CONSENT
from server.lib import clock
from server.schedules.models import Schedule
from tests.api.calls import LEADS, NOW, NUMBER, PAGE, SUBMISSIONS, Json, refused, send, take, taken, warned
from tests.api.kinds import API, VERSION
from tests.factories import Account, make_account
from tests.unit import table

ROWS = table("consents.csv")
CERTIFICATE = "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567"
OWN_TEXT = "Call me."
LINKS = "Terms Privacy policy"


class Pages:
    """A company whose page has a disclosure, and what it posts."""

    def __init__(self, client: FlaskClient, account: Account) -> None:
        self.client, self.account = client, account
        self.disclosure_id = int(self.manage("disclosures", name="Solar")["disclosure"]["id"])
        self.page = account.token(kind="publishable", disclosure_id=self.disclosure_id)
        self.version: Json = {"content_hash": "", "id": 0, "text": "", "label": ""}

    def manage(self, path: str, **body: Any) -> Json:
        """The answer to a request of the company's."""
        answer = self.client.post(f"{API}/{path}", json=body, headers=self.account.bearer)
        content: Json = answer.get_json()
        assert answer.status_code == 200, content
        return content

    def publish(self, **more: Any) -> Json:
        """A published version of the disclosure."""
        path = f"disclosures/{self.disclosure_id}/versions"
        made: Json = self.manage(path, **(VERSION | more))["version"]
        self.version = self.manage(f"{path}/{made['id']}/publish")["version"]
        return self.version

    @property
    def shown(self) -> str:
        """What a visitor reads where the script shows the version."""
        return f"{self.version['label']} {self.version['text']} {LINKS}"

    def stamp(self, kind: str, token: str) -> str:
        """A stamp for this token: `fresh`, `stale`, of an`other` one, or `forged`."""
        key = self.account.app.extensions["vault"].signing_key("stamp")
        disclosure_id = self.disclosure_id if token == self.page else None
        if kind == "forged":
            return "2d6c8e-0123456789abcdef0123456789abcdef"
        at = clock.now() - (timedelta(days=2) if kind == "stale" else timedelta())
        return make_stamp(key, self.account.publishable_token if kind == "other" else token, disclosure_id, at)

    def say(self, text: str = "", **more: Any) -> Json:
        """What the script of the page says, of a visitor who agreed."""
        return {"granted": True, "text": text or self.shown, "stamp": self.stamp("fresh", self.page)} | more

    def versions(self) -> list[Json]:
        """All versions of the disclosure, oldest first."""
        found = self.account.rows("select * from disclosure_version where company_id = :company_id order by id")
        return [row for row in found if row["disclosure_id"] == self.disclosure_id]


@pytest.fixture
def pages(client: FlaskClient, account: Account) -> Pages:
    """Of a company of the test's own."""
    return Pages(client, account)


def record(client: FlaskClient, account: Account, body: Json) -> Json:
    """The consent record of the submission that an answer names."""
    path = f"{SUBMISSIONS}/{body['metadata']['submission_id']}"
    found: Json = client.get(path, headers=account.bearer).get_json()["submission"]["consent"]
    return found


def shown(client: FlaskClient, account: Account, body: Json) -> Json:
    """The stored lead behind an answer."""
    path = f"{SUBMISSIONS}/{body['metadata']['submission_id']}"
    lead_id = client.get(path, headers=account.bearer).get_json()["submission"]["lead_id"]
    lead: Json = client.get(f"{LEADS}/{lead_id}", headers=account.bearer).get_json()["lead"]
    return lead


# Evidence


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_evidence_is_computed(client: FlaskClient, pages: Pages, row: dict[str, str]) -> None:
    account = pages.account
    if "learned" in row["texts"]:
        take(client, pages.page, caller_id="+17192229999", consent={"granted": True, "text": OWN_TEXT})
    if "reviewed" in row["texts"]:
        pages.publish()
    token = {"server": account.schedule_token, "page": pages.page}.get(row["token"], account.publishable_token)
    known = {
        "hash": pages.version["content_hash"],
        "id": str(pages.version["id"]),
        "shown": pages.shown,
        "text": pages.version["text"],
        "label": pages.version["label"],
        "certificate": CERTIFICATE,
    }
    sent: Json = json.loads(row["tokens"] or "{}")
    if row["consent"]:
        sent["consent"] = json.loads(row["consent"])
    if row["stamp"]:
        sent["consent"]["stamp"] = pages.stamp(row["stamp"], token)
    text = json.dumps(sent)
    for name, value in known.items():
        text = text.replace(f"<{name}>", json.dumps(value)[1:-1])
    body = take(client, token, **json.loads(text))
    kept, lead = record(client, account, body), shown(client, account, body)
    granted = {"true": True, "false": False}.get(row["granted"])
    assert (kept["evidence"], kept["granted"], kept["text_is"] or "") == (row["evidence"], granted, row["text_is"])
    assert lead["status"] == row["status"]
    assert {name: lead["consent"][name] for name in ("evidence", "granted", "text_is")} == {
        name: kept[name] for name in ("evidence", "granted", "text_is")
    }
    assert (lead["next_action_at"] is None) == (row["status"] == "held")


def test_evidence_is_never_taken_from_input(client: FlaskClient, account: Account) -> None:
    body = refused(send(client, account.schedule_token, consent={"evidence": "witnessed"}), "invalid_parameter")
    [text] = body["errors"]["consent.evidence"]
    assert text == f"Must be one of: {', '.join(f'`{name}`' for name in CONSENT)}."
    body = take(client, account.schedule_token, evidence="witnessed")
    assert record(client, account, body)["evidence"] == "none"


# The record


def test_a_record_is_complete_and_canonical(client: FlaskClient, pages: Pages) -> None:
    version, account = pages.publish(), pages.account
    said = pages.say(
        disclosure=version["content_hash"],
        default="unticked",
        language="en",
        shown_at="2026-11-23T06:00:00.000Z",
        granted_at="2026-11-23T07:00:09.123+01:00",
        page_url="https://shop.example/solar?utm_source=x",
        gpc=True,
    )
    headers = {"Origin": PAGE, "Referer": f"{PAGE}/solar", "User-Agent": "Mozilla/5.0 (ü)"}
    body = taken(send(client, pages.page, consent=said, headers=headers))
    [row] = account.rows("select * from consent_record where company_id = :company_id")
    kept = json.loads(row["record"])
    [lead], [submission] = account.leads(), account.submissions()
    fetched = kept["stamp"].pop("fetched_at")
    assert timedelta() <= submission["created_at"] - datetime.fromisoformat(fetched) < timedelta(minutes=10)
    assert kept == {
        "version": 1,
        "company_id": account.company_id,
        "lead_token_id": submission["lead_token_id"],
        "submission_id": body["metadata"]["submission_id"],
        "lead_id": lead["id"],
        "caller_id": NUMBER,
        "evidence": "witnessed",
        "granted": True,
        "said_in": "consent",
        "disclosure": version["content_hash"],
        "disclosure_claimed": version["content_hash"],
        "text": None,
        "text_hash": hashlib.sha256(pages.shown.encode()).hexdigest(),
        "text_is": "same",
        "language": "en",
        "default": "unticked",
        "shown_at": "2026-11-23T06:00:00.000+00:00",
        "granted_at": "2026-11-23T06:00:09.123+00:00",
        "received_at": clock.text(submission["created_at"]),
        "page_url": "https://shop.example/solar?utm_source=x",
        "origin": PAGE,
        "referrer": f"{PAGE}/solar",
        "remote_ip": "127.0.0.1",
        "user_agent": "Mozilla/5.0 (ü)",
        "gpc": True,
        "stamp": {"freshness": "fresh"},
        "attached": [],
    }
    assert (row["evidence"], bool(row["granted"]), row["content_hash"]) == ("witnessed", True, version["content_hash"])
    assert row["record"].encode() == rfc8785.dumps(json.loads(row["record"]))


@pytest.mark.parametrize("text", ['\u20ac \U0001f600 \ufb33 \u0007 " \\ / </script> \u2028', "é é", "\r\n\t1"])
def test_any_text_makes_canonical_json(client: FlaskClient, account: Account, text: str) -> None:
    take(client, account.schedule_token, consent={"granted": True, "text": text, "page_url": text})
    [row] = account.rows("select record from consent_record where company_id = :company_id")
    assert row["record"].encode() == rfc8785.dumps(json.loads(row["record"]))


def test_a_text_that_no_version_holds_stands_in_the_record(client: FlaskClient, pages: Pages) -> None:
    said = {"granted": True, "text": " Call\n me. "}
    assert record(client, pages.account, take(client, pages.account.schedule_token, consent=said))["text"] == OWN_TEXT
    first = record(client, pages.account, take(client, pages.page, caller_id="+17192220001", consent=said))
    second = record(client, pages.account, take(client, pages.page, caller_id="+17192220002", consent=said))
    [learned] = pages.versions()
    assert (first["disclosure"], second["disclosure"]) == (learned["content_hash"], learned["content_hash"])
    assert (first["text"], second["text"]) == (OWN_TEXT, None)


@pytest.mark.parametrize("header", ["1", "0", None])
def test_a_browser_that_asks_not_to_be_sold_is_heard(client: FlaskClient, account: Account, header: str | None) -> None:
    headers = {"Origin": PAGE} | ({"Sec-GPC": header} if header else {})
    body = taken(send(client, account.publishable_token, headers=headers))
    assert record(client, account, body)["gpc"] == (header == "1")
    assert shown(client, account, body)["consent"]["gpc"] == (header == "1")


def test_each_submission_that_is_taken_has_one_record_and_each_refused_one_none(
    client: FlaskClient, account: Account
) -> None:
    token = account.schedule_token
    lead = take(client, token, zip="1")["lead_id"]  # created
    take(client, token, zip="1")  # unchanged
    take(client, token, zip="2", vendor_lead_id="L-1")  # updated
    take(client, token, zip="2", vendor_lead_id="L-1")  # replayed by the vendor's id
    for _ in range(2):
        take(client, token, zip="3", idempotency_key="k")  # updated, replayed by the key
    take(client, account.publishable_token, zip="4")
    taken(client.post(f"{LEADS}/{lead}/lead_update", json={"lead_token": token, "zip": "5"}))
    taken(client.put(f"{LEADS}/{lead}", json={"email": "a@example.com"}, headers=account.bearer))
    taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))
    taken(client.put(f"{LEADS}/{NUMBER}/caller_opt_out", json={"lead_token": token}))
    batch = {"lead_token": token, "leads": [{"caller_id": f"+1719222{each}"} for each in range(4000, 4005)]}
    assert client.post(f"{LEADS}/batch", json=batch).status_code == 200
    refused(send(client, token, caller_id="911"), "invalid_caller_id")
    take(client, token, caller_id="+17192220009", dry_run=True)
    ids = {row["id"] for row in account.submissions() if row["action"] != "refused"}
    records = account.rows("select * from consent_record where company_id = :company_id")
    assert len(ids) == 17
    assert sorted(str(row["submission_id"]) for row in records) == sorted(ids)
    for row in records:
        kept = json.loads(row["record"])
        assert (kept["evidence"], kept["submission_id"]) == ("none", str(row["submission_id"]))


def test_leads_of_a_batch_have_consents_of_their_own(client: FlaskClient, account: Account) -> None:
    leads = [
        {"caller_id": "+17192224001", "consent": {"granted": True, "text": OWN_TEXT}},
        {"caller_id": "+17192224002", "consent": False},
        {"caller_id": "+17192224003", "xxTrustedFormCertUrl": CERTIFICATE},
        {"caller_id": "+17192224004", "consent": "perhaps"},
        {"caller_id": "+17192224005"},
    ]
    body = client.post(f"{LEADS}/batch", json={"lead_token": account.schedule_token, "leads": leads}).get_json()
    assert [result["status"] for result in body["results"]] == [200, 200, 200, 422, 200]
    evidences = [record(client, account, each)["evidence"] for each in body["results"] if each["success"]]
    assert evidences == ["asserted", "none", "third_party", "none"]


def test_another_time_at_the_box_is_no_other_lead(client: FlaskClient, pages: Pages) -> None:
    first = taken(send(client, pages.page, consent=pages.say(OWN_TEXT, granted_at="2026-11-23T06:00:00Z")))
    second = taken(send(client, pages.page, consent=pages.say(OWN_TEXT, granted_at="2026-11-23T06:00:01Z")))
    actions = [row["action"] for row in pages.account.submissions()]
    assert actions == ["created", "unchanged"]
    assert {record(client, pages.account, body)["granted_at"][17:19] for body in (first, second)} == {"00", "01"}


def test_a_lead_shows_the_best_consent_that_it_has(client: FlaskClient, pages: Pages) -> None:
    account = pages.account
    pages.publish()
    agrees: Json = {"consent": {"granted": True}}
    says: list[Json] = [{}, {"consent": {"granted": False}}, agrees, {"trusted_form_cert_url": CERTIFICATE}, agrees, {}]
    best = ["none", "none", "asserted", "third_party", "third_party", "third_party"]
    for number, (said, evidence) in enumerate(zip(says, best, strict=True)):
        body = take(client, account.schedule_token, zip=str(number), **said)
        lead = shown(client, account, body)
        assert (lead["consent"]["evidence"], lead["consent"]["claim"]) == (evidence, None)
        if number >= 3:
            assert lead["consent"]["submission_id"] == account.submissions()[3]["id"]
    [listed] = client.get(f"{LEADS}?columns=id,consent", headers=account.bearer).get_json()["leads"]
    assert listed == {"id": lead["id"], "consent": lead["consent"]}


@pytest.mark.parametrize("maker", ["server", "page"])
def test_what_a_page_says_of_a_lead_that_is_there_is_a_claim(client: FlaskClient, pages: Pages, maker: str) -> None:
    pages.publish()
    made = take(client, pages.account.schedule_token if maker == "server" else pages.page, zip="1")
    before = shown(client, pages.account, made)["consent"]
    assert (before["evidence"], before["claim"]) == ("none", None)
    take(client, pages.page, zip="2")
    assert shown(client, pages.account, made)["consent"] == before
    claimed = take(client, pages.page, zip="3", consent=pages.say())
    after = shown(client, pages.account, made)["consent"]
    assert {**after, "claim": None} == before
    assert (after["claim"]["evidence"], after["claim"]["text_is"]) == ("witnessed", "same")
    assert after["claim"]["submission_id"] == claimed["metadata"]["submission_id"]
    # What a server says counts, and stands beside the claim.
    take(client, pages.account.schedule_token, zip="4", consent=True)
    lead = shown(client, pages.account, made)["consent"]
    assert (lead["evidence"], lead["claim"]) == ("asserted", after["claim"])


def test_the_page_that_made_a_lead_is_its_witness(client: FlaskClient, pages: Pages) -> None:
    pages.publish()
    consent = shown(client, pages.account, take(client, pages.page, consent=pages.say()))["consent"]
    assert (consent["evidence"], consent["text_is"], consent["claim"]) == ("witnessed", "same", None)


def test_a_lead_without_a_record_has_no_consent(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    account.execute("delete from consent_record where company_id = :company_id")
    [lead] = client.get(LEADS, headers=account.bearer).get_json()["leads"]
    assert (lead["consent"]["evidence"], lead["consent"]["submission_id"]) == ("none", None)


# What is wrong


@pytest.mark.parametrize(
    ("consent", "param", "text"),
    [
        ("perhaps", "consent", "Must be a Hash, such as consent[granted]=true, or a boolean value"),
        ([True], "consent", "Must be a Hash, such as consent[granted]=true, or a boolean value"),
        (1.5, "consent", "Must be a Hash, such as consent[granted]=true, or a boolean value"),
        ({"granted": "perhaps"}, "consent.granted", "Must be a boolean value: 1, true, yes, on, 0, false, no, off"),
        ({"text": "x" * 8193}, "consent.text", "Must be a String of at most 8192 characters"),
        ({"text": {"a": 1}}, "consent.text", "Must be a String"),
        ({"default": "open"}, "consent.default", "Must be one of: `unticked`, `ticked`."),
        ({"granted_at": "yesterday"}, "consent.granted_at", "Must be a valid time: <now>"),
        (
            {"shown_at": "1999-12-31T23:59:59Z"},
            "consent.shown_at",
            "Must be a valid time: <now>, from the year 2000 to the next year",
        ),
    ],
)
def test_what_is_wrong_is_named(client: FlaskClient, account: Account, consent: Any, param: str, text: str) -> None:
    with time_machine.travel(NOW, tick=False):
        body = refused(send(client, account.schedule_token, consent=consent), "invalid_parameter")
    assert body["errors"] == {param: [text.replace("<now>", "2026-11-23 06:00:00 +0000")]}
    assert (account.leads(), [row["code"] for row in account.submissions()]) == ([], ["invalid_parameter"])


def test_a_text_without_a_yes_is_warned_of(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, consent={"text": OWN_TEXT})
    assert warned(body) == [("consent", "consent_incomplete")]
    assert warned(take(client, account.schedule_token, consent={"granted": False})) == []


# Texts of pages


def test_a_pages_own_text_becomes_an_unreviewed_version(client: FlaskClient, pages: Pages) -> None:
    for number in range(3):
        said = pages.say("  Call \n me. ", language="es_mx")
        taken(send(client, pages.page, caller_id=f"+171922200{number:02}", consent=said))
    [version] = pages.versions()
    path = f"{API}/disclosures/{pages.disclosure_id}/versions/{version['id']}"
    seen = client.get(path, headers=pages.account.bearer).get_json()["version"]
    assert (seen["text"], seen["label"], seen["language"]) == (OWN_TEXT, "", "es-MX")
    assert (seen["reviewed_at"], seen["published_at"], seen["is_current"]) == (None, None, False)
    content = {name: seen[name] for name in ("language", "text", "label", "seller_name", "terms_url", "privacy_url")}
    assert seen["content_hash"] == hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def say_often(client: FlaskClient, pages: Pages, time: time_machine.Traveller, text: str, times: int) -> Json:
    """The record of the last lead of a page that sends a text every two minutes."""
    for _ in range(times):
        time.shift(120)
        body = take(client, pages.page, zip=secrets.token_hex(4), consent={"granted": True, "text": text})
    return record(client, pages.account, body)


def invent(client: FlaskClient, pages: Pages, count: int) -> Json:
    """The record of the last of so many strangers, of whom each has another text."""
    for number in range(count):
        said = {"granted": True, "text": f"Invented {secrets.token_hex(4)}"}
        sent = {"lead_token": pages.page, "caller_id": NUMBER, "zip": secrets.token_hex(4), "consent": said}
        body = taken(client.post(LEADS, json=sent, environ_base={"REMOTE_ADDR": f"2001:db8:{number:x}::1"}))
    return record(client, pages.account, body)


def listed(pages: Pages) -> set[str]:
    """The addresses of the versions that the company is shown."""
    url = f"{API}/disclosures/{pages.disclosure_id}/versions?per_page=100"
    answer = pages.client.get(url, headers=pages.account.bearer).get_json()
    return {version["content_hash"] for version in answer["versions"]}


def test_of_the_texts_that_pages_bring_the_least_used_one_makes_room(client: FlaskClient, pages: Pages) -> None:
    with time_machine.travel(NOW, tick=False) as time:
        reviewed = pages.publish()
        gone = invent(client, pages, 1)
        invent(client, pages, MOST_UNREVIEWED - 1)
        kept = say_often(client, pages, time, OWN_TEXT, 3)
        invent(client, pages, MOST_UNREVIEWED + 5)
    found = listed(pages)
    assert len(found) == MOST_UNREVIEWED + 1
    assert {kept["disclosure"], reviewed["content_hash"]} < found
    assert gone["disclosure"] not in found
    # What a record points at is there for ever.
    [stored] = pages.account.rows(
        "select id, text, retired_at from disclosure_version where content_hash = :hash and company_id = :company_id",
        hash=gone["disclosure"],
    )
    assert (stored["text"], stored["retired_at"] is None) == (gone["text"], False)
    path = f"disclosures/{pages.disclosure_id}/versions"
    headers = pages.account.bearer
    by_hash = client.get(f"{API}/{path}?content_hash={gone['disclosure']}", headers=headers).get_json()["versions"]
    assert [version["text"] for version in by_hash] == [gone["text"]]
    # Who reviews it has it listed again, and no page can take its place any more.
    pages.manage(f"{path}/{stored['id']}/review")
    invent(client, pages, MOST_UNREVIEWED + 1)
    assert gone["disclosure"] in listed(pages)


def test_a_text_that_had_to_make_room_comes_back_with_its_uses(
    client: FlaskClient, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(NOW, tick=False) as time:
        first = say_often(client, pages, time, OWN_TEXT, 1)
        invent(client, pages, MOST_UNREVIEWED)
        assert first["disclosure"] not in listed(pages)
        monkeypatch.setattr(queries, "_kept", {})
        second = say_often(client, pages, time, OWN_TEXT, 1)
        assert (second["disclosure"], second["text"]) == (first["disclosure"], OWN_TEXT)
        invent(client, pages, MOST_UNREVIEWED)
        assert first["disclosure"] in listed(pages)
        [row] = pages.account.rows(
            "select uses from disclosure_version where content_hash = :hash and company_id = :company_id",
            hash=first["disclosure"],
        )
        assert row["uses"] == 2


def test_a_process_that_does_not_know_a_text_yet_learns_it_once(
    client: FlaskClient, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(client, pages.page, caller_id="+17192220001", consent=pages.say(OWN_TEXT))
    monkeypatch.setattr(queries, "_kept", {})
    take(client, pages.page, caller_id="+17192220002", consent=pages.say(OWN_TEXT))
    assert len(pages.versions()) == 1


def test_what_is_published_counts_from_the_next_lead_on(client: FlaskClient, pages: Pages) -> None:
    body = take(client, pages.page, caller_id="+17192220001", consent=pages.say("Something else."))
    assert (shown(client, pages.account, body)["status"], record(client, pages.account, body)["text_is"]) == (
        "scheduled",
        "unknown",
    )
    pages.publish()
    body = take(client, pages.page, caller_id="+17192220002", consent=pages.say("Something else."))
    assert (shown(client, pages.account, body)["status"], record(client, pages.account, body)["text_is"]) == (
        "held",
        "differs",
    )
    pages.publish(text=f"{VERSION['text']} Something else.")
    body = take(client, pages.page, caller_id="+17192220003", consent=pages.say())
    assert shown(client, pages.account, body)["status"] == "scheduled"


def test_a_visitor_who_has_the_version_before_is_no_exception(client: FlaskClient, pages: Pages) -> None:
    first = pages.publish()
    before = pages.shown
    pages.publish(text=f"{VERSION['text']} And more.")
    body = take(client, pages.page, consent=pages.say(before))
    kept = record(client, pages.account, body)
    assert (kept["evidence"], kept["text_is"], kept["disclosure"]) == ("witnessed", "same", first["content_hash"])
    assert shown(client, pages.account, body)["status"] == "scheduled"


def test_a_reviewed_text_of_a_page_holds_nobody(client: FlaskClient, pages: Pages) -> None:
    take(client, pages.page, caller_id="+17192220001", consent=pages.say(OWN_TEXT))
    pages.publish()
    held = take(client, pages.page, caller_id="+17192220002", consent=pages.say(OWN_TEXT))
    assert shown(client, pages.account, held)["status"] == "held"
    learned = next(version for version in pages.versions() if version["text"] == OWN_TEXT)
    path = f"disclosures/{pages.disclosure_id}/versions/{learned['id']}/review"
    assert pages.manage(path)["version"]["reviewed_at"] is not None
    assert pages.manage(path)["version"]["is_current"] is False
    body = take(client, pages.page, caller_id="+17192220003", consent=pages.say(OWN_TEXT))
    assert shown(client, pages.account, body)["status"] == "scheduled"
    assert record(client, pages.account, body)["text_is"] == "same"


# Held leads


def held_lead(client: FlaskClient, pages: Pages, **more: Any) -> Json:
    """A lead whose visitor agreed to another text than the reviewed one."""
    if not pages.version["id"]:
        pages.publish()
    return shown(client, pages.account, take(client, pages.page, consent=pages.say("Something else."), **more))


def release(client: FlaskClient, pages: Pages, lead: Json) -> Json:
    """The answer to its release."""
    return taken(client.post(f"{LEADS}/{lead['id']}/release", headers=pages.account.bearer))


def test_the_page_hears_nothing_of_it(client: FlaskClient, pages: Pages) -> None:
    pages.publish()
    same = take(client, pages.page, caller_id="+17192220001", consent=pages.say())
    other = take(client, pages.page, caller_id="+17192220002", consent=pages.say("Something else."))
    assert {name: other["lead"][name] for name in ("status", "is_live")} == {"status": "scheduled", "is_live": True}
    assert same["lead"].keys() == other["lead"].keys()
    assert (same["action"], other["action"], other["warnings"]) == ("received", "received", [])


def test_a_server_hears_that_its_lead_is_held(client: FlaskClient, pages: Pages) -> None:
    version = pages.publish()
    said = {"granted": True, "disclosure": version["content_hash"], "text": "Something else."}
    body = take(client, pages.account.schedule_token, consent=said)
    assert (body["lead"]["status"], body["lead"]["next_action_at"]) == ("held", None)
    assert warned(body) == [("consent", "held_for_review")]


def test_a_held_lead_begins_its_schedule_when_it_is_released(client: FlaskClient, pages: Pages) -> None:
    lead = held_lead(client, pages)
    assert (lead["status"], lead["is_live"], lead["next_action_at"]) == ("held", True, None)
    [listed] = client.get(f"{LEADS}?status=held", headers=pages.account.bearer).get_json()["leads"]
    assert listed["id"] == lead["id"]
    later = clock.now() + timedelta(hours=5)
    with time_machine.travel(later, tick=False):
        body = release(client, pages, lead)
        assert (body["action"], body["lead"]["status"]) == ("updated", "scheduled")
        assert body["lead"]["next_action_at"] == clock.text(clock.now() + timedelta(days=1))
        again = release(client, pages, lead)
    assert (again["action"], again["lead"]) == ("unchanged", body["lead"])
    events = pages.account.rows("select kind from outbox_event where company_id = :company_id order by created_at, id")
    assert [event["kind"] for event in events] == ["lead.created", "lead.updated"]


def test_an_offers_lead_waits_when_it_is_released(client: FlaskClient, pages: Pages) -> None:
    account = pages.account
    pages.publish()
    owned = {"owner_kind": "offer", "owner_id": account.offer_id}
    token = account.token(kind="publishable", disclosure_id=pages.disclosure_id, **owned)
    lead = shown(client, account, take(client, token, consent={"granted": True, "text": "Something else."}))
    assert lead["status"] == "held"
    assert release(client, pages, lead)["lead"]["status"] == "waiting"


def test_a_held_lead_stays_held_whatever_else_is_sent(client: FlaskClient, pages: Pages) -> None:
    token = pages.account.schedule_token
    version = pages.publish()
    said = {"granted": True, "disclosure": version["content_hash"], "text": "Something else."}
    lead = take(client, token, consent=said)["lead"]
    for more in ({"restart_schedule": True}, {"next_action_at": "2027-01-01T00:00:00Z"}, {"consent": True}):
        body = take(client, token, **more)
        assert (body["lead_id"], body["lead"]["status"], body["lead"]["next_action_at"]) == (lead["id"], "held", None)
    take(client, pages.page, consent=pages.say())
    assert shown(client, pages.account, body)["status"] == "held"


def test_a_block_does_not_let_a_held_lead_go(client: FlaskClient, pages: Pages) -> None:
    lead = held_lead(client, pages)
    take(client, pages.account.schedule_token, blocked=True)
    body = taken(client.put(f"{LEADS}/{lead['id']}", json={"blocked": False}, headers=pages.account.bearer))
    assert (body["lead"]["status"], body["lead"]["next_action_at"]) == ("held", None)
    take(client, pages.account.schedule_token, opt_out=True)
    assert release(client, pages, lead)["lead"]["status"] == "opt_out"
    body = taken(client.put(f"{LEADS}/{lead['id']}", json={"opt_out": False}, headers=pages.account.bearer))
    assert body["lead"]["status"] == "scheduled"


def test_a_held_lead_can_be_deleted_and_restored(client: FlaskClient, pages: Pages) -> None:
    lead = held_lead(client, pages)
    taken(client.delete(f"{LEADS}/{lead['id']}", headers=pages.account.bearer))
    body = taken(client.post(f"{LEADS}/{lead['id']}/restore", headers=pages.account.bearer))
    assert (body["lead"]["status"], body["lead"]["is_live"]) == ("held", True)


def test_no_page_holds_a_lead_that_is_there(client: FlaskClient, pages: Pages) -> None:
    before = take(client, pages.account.schedule_token, zip="1")["lead"]
    pages.publish()
    take(client, pages.page, consent=pages.say("Something else."), zip="2")
    [lead] = client.get(LEADS, headers=pages.account.bearer).get_json()["leads"]
    assert (lead["status"], lead["next_action_at"]) == (before["status"], before["next_action_at"])
    assert (lead["consent"]["text_is"], lead["consent"]["claim"]["text_is"]) == (None, "differs")


@pytest.mark.parametrize("acceptance", [{}, {"duplicate_seconds": 3600}, {"same_source_seconds": 3600}], ids=str)
def test_what_a_page_holds_a_server_brings_all_the_same(
    client: FlaskClient, pages: Pages, acceptance: dict[str, Any]
) -> None:
    account = pages.account
    lead = held_lead(client, pages, traffic_source_id="google_ads")
    account.change(Schedule, account.schedule_id, acceptance=acceptance)
    body = take(client, account.token(shows_stored_lead=True), traffic_source_id="google_ads", explain=True)
    assert (body["lead_id"], body["action"], body["lead"]["status"]) == (lead["id"], "updated", "scheduled")
    assert body["lead"]["next_action_at"] is not None
    assert warned(body) == [("consent", "hold_lifted")]
    [step] = [step for step in body["why"] if step["step"] == "hold"]
    assert (step["read"]["held_by"], step["decided"], step["record"]) == ("public", "released", lead["id"])


def test_a_server_that_brings_another_text_too_holds_the_lead_on(client: FlaskClient, pages: Pages) -> None:
    lead = held_lead(client, pages)
    said = {"granted": True, "disclosure": pages.version["content_hash"], "text": "Something else."}
    for consent in (said, True):
        body = take(client, pages.account.schedule_token, consent=consent)
        assert (body["lead_id"], body["lead"]["status"]) == (lead["id"], "held")


def test_a_vendor_does_not_hear_that_a_page_has_held_the_number(client: FlaskClient, pages: Pages) -> None:
    lead = held_lead(client, pages)
    body = take(client, pages.account.vendor_token, explain=True)
    assert (warned(body), [step for step in body["why"] if step["step"] == "hold"]) == ([], [])
    assert shown(client, pages.account, body)["status"] == "scheduled"
    assert lead["status"] == "held"


def test_only_who_may_change_leads_releases_them(client: FlaskClient, app: Flask, pages: Pages) -> None:
    lead = held_lead(client, pages)
    path = f"{LEADS}/{lead['id']}/release"
    refused(client.post(path, headers=pages.account.key("leads:read")), "scope_missing")
    refused(client.post(path, headers=make_account(app).bearer), "not_found")
    taken(client.post(path, headers=pages.account.key("leads:update")))


# Replays


def test_a_replay_judges_the_stamp_by_when_it_came(client: FlaskClient, pages: Pages) -> None:
    pages.publish()
    body = refused(send(client, pages.page, caller_id="911", consent=pages.say()), "invalid_caller_id")
    submission_id = body["metadata"]["submission_id"]
    # As if the form had sent the right number.
    received = json.dumps({"query": {}, "body": {"caller_id": NUMBER, "consent": pages.say()}})
    pages.account.execute(
        "update submission set received = :received where id = :id", received=received, id=submission_id
    )
    with time_machine.travel(clock.now() + timedelta(days=3)):
        again = taken(client.post(f"{SUBMISSIONS}/{submission_id}/replay", json={}, headers=pages.account.bearer))
        kept = record(client, pages.account, again)
    assert (kept["evidence"], kept["stamp"]["freshness"]) == ("witnessed", "fresh")


def test_what_is_released_has_the_consent_that_it_came_with(client: FlaskClient, pages: Pages) -> None:
    pages.publish()
    body = take(client, pages.page, consent=pages.say(), hp="I am a program")
    assert record(client, pages.account, body) is None
    came_at = pages.account.submissions()[0]["created_at"]
    path = f"{SUBMISSIONS}/{body['metadata']['submission_id']}/release"
    with time_machine.travel(clock.now() + timedelta(days=3)):
        for _ in range(2):
            taken(client.post(path, json={}, headers=pages.account.bearer))
    kept = record(client, pages.account, body)
    assert (kept["evidence"], kept["received_at"]) == ("witnessed", clock.text(came_at))
    [row] = pages.account.rows("select * from consent_record where company_id = :company_id")
    assert str(row["submission_id"]) == body["metadata"]["submission_id"]


@pytest.mark.parametrize("kind", ["server", "vendor"])
def test_nobody_can_make_a_stamp_for_a_servers_token(client: FlaskClient, account: Account, kind: str) -> None:
    token = {"server": account.schedule_token, "vendor": account.vendor_token}[kind]
    said = {"granted": True, "text": OWN_TEXT, "stamp": make_stamp(b"", token, None, clock.now())}
    body = taken(send(client, token, consent=said, headers={"Origin": PAGE}))
    kept = record(client, account, body)
    assert (kept["evidence"], kept["stamp"]["freshness"]) == ("asserted", "forged")
