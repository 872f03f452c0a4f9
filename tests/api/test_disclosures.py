"""Disclosures: versions that never change, what may be published, and what a visitor of a language is shown."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from server.lib.db import db
from tests.api.calls import NOW, Json, refused
from tests.api.kinds import API, VERSION, shown, wrong
from tests.factories import Account, make_account

PATH = f"{API}/disclosures"
SPANISH: Json = VERSION | {
    "language": "es",
    "text": "Acme Solar llama con voz artificial. Mi consentimiento no es condición de compra. Responda STOP.",
    "label": "Acepto",
}
CONTENT = ["language", "text", "label", "seller_name", "terms_url", "privacy_url"]


class Texts:
    """The disclosures of one company, by API."""

    def __init__(self, client: FlaskClient, account: Account) -> None:
        self.client, self.account = client, account

    def ask(self, method: str, path: str, **how: Any) -> TestResponse:
        """The answer to a request with the company's key."""
        headers = self.account.bearer | how.pop("headers", {})
        return self.client.open(f"{PATH}{path}", method=method, headers=headers, **how)

    def done(self, method: str, path: str, **how: Any) -> Json:
        """What is answered to a request that is taken."""
        answer = self.ask(method, path, **how)
        body: Json = answer.get_json()
        assert answer.status_code == 200, body
        return body

    def new(self, **more: Any) -> int:
        """A disclosure."""
        body = self.done("POST", "", json={"name": "Solar"} | more)
        return int(body["disclosure"]["id"])

    def add(self, disclosure_id: int, **more: Any) -> Json:
        """A version, as it is shown."""
        made: Json = self.done("POST", f"/{disclosure_id}/versions", json=VERSION | more)["version"]
        return made

    def publish(self, version: Json, **how: Any) -> TestResponse:
        """The answer to its publication."""
        return self.ask("POST", f"/{version['disclosure_id']}/versions/{version['id']}/publish", **how)

    def published(self, disclosure_id: int, **more: Any) -> Json:
        """A published version."""
        answer = self.publish(self.add(disclosure_id, **more))
        assert answer.status_code == 200, answer.get_json()
        made: Json = answer.get_json()["version"]
        return made

    def get(self, version: Json) -> Json:
        """A version, as it is shown now."""
        body = self.done("GET", f"/{version['disclosure_id']}/versions/{version['id']}")
        found: Json = body["version"]
        return found

    def current(self, disclosure_id: int) -> Json:
        """The current versions of a disclosure."""
        found: Json = self.done("GET", f"/{disclosure_id}")["disclosure"]["current"]
        return found

    def rows(self) -> list[Json]:
        """What the database has of all versions."""
        return self.account.rows("select * from disclosure_version where company_id = :company_id order by id")


@pytest.fixture
def texts(client: FlaskClient, account: Account) -> Texts:
    return Texts(client, account)


# Keeping


def test_a_version_is_kept_as_a_draft_under_the_address_of_its_content(texts: Texts) -> None:
    disclosure_id = texts.new()
    sent = VERSION | {"text": "  I\nagree,\u00a0 e\u0301lan. "}
    body = texts.done("POST", f"/{disclosure_id}/versions", json=sent)
    version = body["version"]
    assert body["action"] == "created"
    assert version["text"] == "I agree, \u00e9lan."
    assert version["language"] == "en"
    # Whoever has the content can tell its address, with nothing but what every language brings along.
    content = {name: version[name] for name in CONTENT}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert version["content_hash"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert (version["published_at"], version["is_current"]) == (None, False)
    assert version["reviewed_at"] == version["created_at"]
    [row] = texts.rows()
    assert {name: row[name] for name in [*CONTENT, "content_hash"]} == {
        name: version[name] for name in [*CONTENT, "content_hash"]
    }
    assert texts.get(version) == version
    assert texts.current(disclosure_id) == {}


def test_a_version_without_a_language_has_its_disclosures_default(texts: Texts) -> None:
    assert texts.add(texts.new(default_language="ES_mx"))["language"] == "es-MX"


def test_the_same_content_again_is_the_same_version(texts: Texts) -> None:
    disclosure_id = texts.new()
    first = texts.done("POST", f"/{disclosure_id}/versions", json=VERSION)
    again = VERSION | {"text": VERSION["text"].replace(" ", "  \n"), "language": "EN"}
    second = texts.done("POST", f"/{disclosure_id}/versions", json=again)
    assert second == first | {"action": "unchanged"}
    assert len(texts.rows()) == 1
    assert texts.add(disclosure_id, label="Yes")["id"] != first["version"]["id"]


def test_the_same_content_in_another_disclosure_is_refused_and_named(texts: Texts) -> None:
    first = texts.add(texts.new())
    answer = texts.ask("POST", f"/{texts.new()}/versions", json=VERSION)
    says = f"is the version {first['id']} of the disclosure {first['disclosure_id']}, with all beside it: use that one"
    assert wrong(answer) == {"text": [says]}
    assert len(texts.rows()) == 1


def test_two_companies_may_say_the_same(texts: Texts, client: FlaskClient) -> None:
    other = Texts(client, make_account(texts.account.app))
    first, second = texts.add(texts.new()), other.add(other.new())
    assert first["content_hash"] == second["content_hash"]
    assert first["id"] != second["id"]


def test_many_who_add_the_same_at_once_make_one_version(app: Flask, texts: Texts) -> None:
    disclosure_id = texts.new()

    def add(_: int) -> Json:
        return Texts(app.test_client(), texts.account).done("POST", f"/{disclosure_id}/versions", json=VERSION)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(add, range(4)))
    assert sorted(each["action"] for each in made) == ["created", "unchanged", "unchanged", "unchanged"]
    assert len({each["version"]["id"] for each in made}) == len(texts.rows()) == 1


WRONG = [
    ({"text": " \u00a0 "}, "text", "must not be blank"),
    ({"text": None}, "text", "must be text, not null"),
    ({"text": "x" * 8193}, "text", "must be at most 8192 characters long"),
    ({"text": "\u00e9" * 4097}, "text", "takes 8194 bytes in UTF-8; send 8192 at most"),
    ({"label": ""}, "label", "must not be blank"),
    ({"language": "english"}, "language", "is not a language, such as en or es-MX"),
    (
        {"terms_url": "javascript:alert(1)"},
        "terms_url",
        "is not the address of a page; send it in full, such as https://shop.example/terms",
    ),
    ({"published_at": "2026-11-23T06:00:00Z"}, "published_at", "is unknown; this takes: " + ", ".join(CONTENT)),
    ({"content_hash": "0" * 64}, "content_hash", "is unknown; this takes: " + ", ".join(CONTENT)),
]


@pytest.mark.parametrize(("more", "name", "says"), WRONG)
def test_what_is_no_content_is_refused_by_name(texts: Texts, more: Json, name: str, says: str) -> None:
    disclosure_id = texts.new()
    for path in (f"/{disclosure_id}/versions", "/lint"):
        assert wrong(texts.ask("POST", path, json=VERSION | more)) == {name: [says]}
    assert texts.rows() == []


def test_the_longest_text_is_kept(texts: Texts) -> None:
    assert len(texts.add(texts.new(), text="\u00e9" * 4096)["text"]) == 4096


# What never changes


UPDATES = [
    "text = 'x'",
    "label = 'x'",
    "language = 'fr'",
    "seller_name = null",
    "terms_url = null",
    "privacy_url = 'x'",
    "content_hash = 'x'",
    "company_id = company_id + 1",
    "disclosure_id = disclosure_id + 1",
    "id = id + 1000000",
    "created_at = updated_at",
    "published_at = null, is_current = false",
    "published_at = created_at",
    "reviewed_at = null, published_at = null, is_current = false",
    "reviewed_at = updated_at",
]


def write(app: Flask, statement: str, **values: Any) -> None:
    """Runs SQL of anybody's who has the database open."""
    with app.app_context(), db.engine.connect().execution_options(writes=True) as connection:
        connection.execute(text(statement), values)
        connection.commit()


@pytest.mark.parametrize("update", UPDATES)
def test_the_database_itself_refuses_to_change_a_version(texts: Texts, update: str) -> None:
    with time_machine.travel(NOW, tick=False):
        version = texts.add(texts.new())
    texts.publish(version)
    before = texts.rows()
    with pytest.raises(IntegrityError, match="a version of a disclosure is never changed or deleted"):
        write(texts.account.app, f"update disclosure_version set {update} where id = :id", id=version["id"])
    assert texts.rows() == before


def test_every_column_of_a_version_that_may_not_move_is_tried(app: Flask) -> None:
    with app.app_context():
        columns = {each["name"] for each in inspect(db.engine).get_columns("disclosure_version")}
    tried = {part.partition(" =")[0].strip() for update in UPDATES for part in update.split(",")}
    # How much it is used is no part of what it says.
    assert columns - tried == {"updated_at", "uses", "last_used_at", "retired_at"}


@pytest.mark.parametrize("delete", ["delete from disclosure_version where id = :id", "replacing"])
def test_the_database_itself_refuses_to_delete_a_version(texts: Texts, delete: str) -> None:
    version = texts.published(texts.new())
    before = texts.rows()
    on_sqlite = texts.account.app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    if delete == "replacing":
        columns = ", ".join(before[0])
        copied = columns.replace("label", "'x'")
        # PostgreSQL knows no REPLACE; what empties a table without a look at its rows is TRUNCATE.
        replace = f"insert or replace into disclosure_version ({columns}) select {copied} from disclosure_version"
        delete = f"{replace} where id = :id" if on_sqlite else "truncate disclosure_version"
    with pytest.raises(IntegrityError, match="a version of a disclosure is never changed or deleted"):
        write(texts.account.app, delete, id=version["id"])
    assert texts.rows() == before


def test_the_database_itself_keeps_one_current_version_of_a_language(texts: Texts) -> None:
    disclosure_id = texts.new()
    first, second = texts.published(disclosure_id), texts.published(disclosure_id, label="Yes")
    before = texts.rows()
    with pytest.raises(IntegrityError, match=r"uq_disclosure_version_language|disclosure_version\.language"):
        write(texts.account.app, "update disclosure_version set is_current = true where id = :id", id=first["id"])
    assert texts.rows() == before
    assert texts.current(disclosure_id) == {"en": second["id"]}


def test_the_times_of_a_draft_that_nobody_has_reviewed_are_set_once_by_its_publication(texts: Texts) -> None:
    disclosure_id = texts.new()
    kept = texts.add(disclosure_id)
    # As a version will be that is learned from a page.
    columns = ", ".join(name for name in texts.rows()[0] if name not in ("id", "reviewed_at"))
    learned = columns.replace("label", "'Learned'").replace("content_hash", "'learned'")
    app = texts.account.app
    write(
        app,
        f"insert into disclosure_version ({columns}) select {learned} from disclosure_version where id = :id",
        id=kept["id"],
    )
    [row] = [each for each in texts.rows() if each["label"] == "Learned"]
    with pytest.raises(IntegrityError, match="ck_disclosure_version_reviewed"):
        write(app, "update disclosure_version set published_at = created_at where id = :id", id=row["id"])
    published = texts.publish({"id": row["id"], "disclosure_id": disclosure_id}).get_json()["version"]
    assert published["reviewed_at"] == published["published_at"] is not None


# Publishing


def test_a_published_version_is_current_until_the_next_one_is(texts: Texts) -> None:
    disclosure_id = texts.new()
    with time_machine.travel(NOW, tick=False):
        first = texts.published(disclosure_id)
        assert first["is_current"] is True
        assert first["published_at"] is not None
        second, spanish = texts.published(disclosure_id, label="Yes"), texts.published(disclosure_id, **SPANISH)
        assert texts.current(disclosure_id) == {"en": second["id"], "es": spanish["id"]}
        gone = texts.get(first)
    # It is shown as another state, though the clock stands still, and was published when it was.
    assert gone == first | {"is_current": False, "updated_at": gone["updated_at"]}
    assert gone["updated_at"] > first["updated_at"]
    # Back to the one before: it was published when it was.
    back = texts.publish(first).get_json()["version"]
    assert (back["is_current"], back["published_at"]) == (True, first["published_at"])
    assert texts.current(disclosure_id) == {"en": first["id"], "es": spanish["id"]}


def test_publishing_again_changes_nothing(texts: Texts) -> None:
    version = texts.published(texts.new())
    before = texts.rows()
    assert texts.publish(version).get_json()["version"] == version
    assert texts.rows() == before


def test_publishing_is_another_state_of_the_disclosure(texts: Texts) -> None:
    disclosure_id = texts.new()
    seen = texts.done("GET", f"/{disclosure_id}")["disclosure"]
    texts.published(disclosure_id)
    stale = texts.ask("PUT", f"/{disclosure_id}", json={"name": "x"}, headers={"If-Match": f'"{seen["updated_at"]}"'})
    refused(stale, "edit_conflict")
    now = shown(texts.ask("GET", f"/{disclosure_id}"), "disclosure")
    # What was read may be sent back; what is current is not written that way.
    assert shown(texts.ask("PUT", f"/{disclosure_id}", json=now), "disclosure") == now
    assert wrong(texts.ask("PUT", f"/{disclosure_id}", json={"current": {}})) == {"current": ["cannot be changed"]}


def test_a_text_that_lacks_something_stays_a_draft_and_every_part_is_named(texts: Texts) -> None:
    disclosure_id = texts.new()
    body = texts.done("POST", f"/{disclosure_id}/versions", json={"text": "Yes, call me.", "label": "OK"})
    assert body["lint"]["passes"] is False
    lacks = body["lint"]["lacks"]
    assert [each["element"] for each in lacks] == [
        "seller_name",
        "automated_contact",
        "not_a_condition",
        "opt_out",
        "terms_link",
        "privacy_link",
    ]
    answer = texts.publish(body["version"])
    errors = wrong(answer)
    assert [*errors] == ["seller_name", "text", "terms_url", "privacy_url"]
    said = [each for name in errors for each in errors[name]]
    assert said == [f"{each['message']}. {each['why']} {each['add']}" for each in lacks]
    assert texts.get(body["version"]) == body["version"]
    assert texts.current(disclosure_id) == {}


def test_a_language_that_we_cannot_read_is_published_with_a_warning(texts: Texts) -> None:
    version = texts.add(texts.new(), language="de", text="Acme Solar darf mich anrufen.")
    body = texts.publish(version).get_json()
    assert body["version"]["is_current"] is True
    assert body["lint"]["passes"] is True
    assert "not de" in body["lint"]["warnings"][0]


def test_a_text_is_checked_without_being_kept(texts: Texts) -> None:
    assert texts.done("POST", "/lint", json=VERSION) == {"lint": {"passes": True, "lacks": [], "warnings": []}}
    found = texts.done("POST", "/lint", json=SPANISH | {"text": "Llámenme."})["lint"]
    assert [each["add"][:28] for each in found["lacks"]][1:] == [
        "Add, for instance: “Acepto q",
        "Add, for instance: “Mi conse",
        "Add, for instance: “Puedo da",
    ]
    assert texts.rows() == []


def test_who_saw_another_state_publishes_nothing(texts: Texts) -> None:
    disclosure_id = texts.new()
    first = texts.published(disclosure_id)
    second = texts.published(disclosure_id, label="Yes")
    before = texts.rows()
    for how in ({"headers": {"If-Match": f'"{first["updated_at"]}"'}}, {"json": {"updated_at": first["updated_at"]}}):
        refused(texts.publish(first, **how), "edit_conflict")
    assert texts.rows() == before
    answer = texts.ask("GET", f"/{disclosure_id}/versions/{first['id']}")
    assert texts.publish(first, headers={"If-Match": answer.headers["ETag"]}).status_code == 200
    assert texts.current(disclosure_id) == {"en": first["id"]} != {"en": second["id"]}


def test_many_who_publish_at_once_leave_one_current_version(app: Flask, texts: Texts) -> None:
    disclosure_id = texts.new()
    drafts = [texts.add(disclosure_id, label=f"Yes {number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: Texts(app.test_client(), texts.account).publish(each), drafts))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sum(row["is_current"] for row in texts.rows()) == 1


def test_publishing_takes_no_values(texts: Texts) -> None:
    answer = texts.publish(texts.add(texts.new()), json={"text": "x"})
    assert wrong(answer) == {"text": ["is unknown here; nothing but updated_at is taken"]}


def test_nothing_is_added_to_a_deleted_disclosure_and_what_it_said_is_still_shown(texts: Texts) -> None:
    disclosure_id = texts.new()
    version, draft = texts.published(disclosure_id), texts.add(disclosure_id, label="Yes")
    texts.done("DELETE", f"/{disclosure_id}")
    before = texts.rows()
    says = {"id": ["is deleted; restore the disclosure first"]}
    assert wrong(texts.ask("POST", f"/{disclosure_id}/versions", json=SPANISH)) == says
    assert wrong(texts.publish(draft)) == says
    assert texts.rows() == before
    assert texts.get(version) == version


def test_a_disclosure_that_pages_show_is_not_deleted_and_they_are_named(
    texts: Texts, client: FlaskClient, account: Account
) -> None:
    disclosure, other = texts.new(), texts.new(name="Other")
    own: Json = {"schedule_id": account.schedule_id, "kind": "publishable", "disclosure_id": disclosure}
    token = shown(client.post(f"{API}/lead_tokens", json=own | {"name": "Page"}, headers=account.bearer), "lead_token")
    body = {"name": "Solar page", "offer_id": account.offer_id, "disclosure_id": disclosure}
    snippet = shown(client.post(f"{API}/snippets", json=body, headers=account.bearer), "snippet")
    [text] = wrong(texts.ask("DELETE", f"/{disclosure}"))["id"]
    assert text == (
        f"is still in use by the lead token {token['id']} (Page) of the schedule {account.schedule_id};"
        f" the snippet {snippet['id']} (Solar page) of the offer {account.offer_id}."
        " Choose another disclosure there, or delete them, first"
    )
    assert "deleted_at" not in texts.done("GET", f"/{disclosure}")["disclosure"]

    moved = client.put(f"{API}/snippets/{snippet['id']}", json={"disclosure_id": other}, headers=account.bearer)
    assert shown(moved, "snippet")["disclosure_id"] == other
    [text] = wrong(texts.ask("DELETE", f"/{disclosure}"))["id"]
    assert text.startswith(f"is still in use by the lead token {token['id']} (Page) of the schedule")
    assert client.delete(f"{API}/lead_tokens/{token['id']}", headers=account.bearer).status_code == 200
    assert texts.done("DELETE", f"/{disclosure}")["disclosure"]["deleted_at"]
    # What comes back would show it: it comes back first.
    errors = wrong(client.post(f"{API}/lead_tokens/{token['id']}/restore", headers=account.bearer))
    assert errors == {"disclosure_id": ["is not a disclosure of this company"]}


def test_a_version_is_found_in_its_own_disclosure_only(texts: Texts) -> None:
    version, other = texts.add(texts.new()), texts.new()
    for method, path in (("GET", ""), ("GET", "/preview"), ("POST", "/publish")):
        answer = texts.ask(method, f"/{other}/versions/{version['id']}{path}")
        assert refused(answer, "not_found")["errors"] == {"id": ["names no version"]}


def test_versions_are_listed_by_page_and_by_what_they_are(texts: Texts) -> None:
    disclosure_id = texts.new()
    current = texts.published(disclosure_id)
    drafts = [texts.add(disclosure_id, label="Yes"), texts.add(disclosure_id, **SPANISH)]
    texts.add(texts.new(), label="Another disclosure's")

    def ids(query: str) -> list[int]:
        body = texts.done("GET", f"/{disclosure_id}/versions?{query}")
        return [each["id"] for each in body["versions"]]

    assert ids("") == [drafts[1]["id"], drafts[0]["id"], current["id"]]
    assert ids("is_current=true") == ids("published=true") == [current["id"]]
    assert ids("is_current=false") == ids("published=false") == [drafts[1]["id"], drafts[0]["id"]]
    assert ids("language=ES") == ids(f"content_hash={drafts[1]['content_hash']}") == [drafts[1]["id"]]
    first = texts.done("GET", f"/{disclosure_id}/versions?per_page=2")
    assert first["metadata"]["total_count"] == 3
    assert ids(f"per_page=2&cursor={first['metadata']['next_cursor']}") == [current["id"]]
    assert "nothing" in wrong(texts.ask("GET", f"/{disclosure_id}/versions?nothing=1"))


# What a visitor is shown


def test_a_language_falls_back_to_less_of_it_and_to_the_default(texts: Texts) -> None:
    disclosure_id = texts.new(default_language="en-US")
    texts.published(disclosure_id, language="en")
    texts.published(disclosure_id, **SPANISH)
    texts.add(disclosure_id, language="fr")
    for asked, found in {"es-MX": "es", "es": "es", "fr": "en", "en-GB": "en", "": "en"}.items():
        preview = texts.done("GET", f"/{disclosure_id}/preview?language={asked}")["preview"]
        assert preview["language"] == found, asked
    texts.done("PUT", f"/{disclosure_id}", json={"default_language": "es"})
    assert texts.done("GET", f"/{disclosure_id}/preview?language=fr")["preview"]["language"] == "es"


def test_where_nothing_is_published_nothing_is_shown(texts: Texts) -> None:
    disclosure_id = texts.new()
    texts.add(disclosure_id)
    texts.published(disclosure_id, **SPANISH)
    errors = refused(texts.ask("GET", f"/{disclosure_id}/preview?language=fr"), "not_found")["errors"]
    assert errors == {"language": ["has no published text here, nor has the default, en; there is: es"]}


def test_a_preview_is_safe_to_put_into_a_page(texts: Texts) -> None:
    bad = "<img src=x onerror=alert(1)>"
    version = texts.add(texts.new(), text=f"{VERSION['text']} {bad}", label='"><script>')
    path = f"/{version['disclosure_id']}/versions/{version['id']}"
    draft = texts.done("GET", f"{path}/preview")["preview"]
    assert draft["text"] == version["text"]
    assert (draft["version_id"], draft["content_hash"]) == (version["id"], version["content_hash"])
    assert draft["links"] == [
        {"kind": "terms", "text": "Terms", "url": VERSION["terms_url"]},
        {"kind": "privacy", "text": "Privacy policy", "url": VERSION["privacy_url"]},
    ]
    assert "<img" not in draft["html"]
    assert "<script" not in draft["html"]
    assert '<input type="checkbox" data-lead-consent>' in draft["html"]
    assert draft["html"].count('rel="noopener"') == 2
    texts.publish(version)
    assert texts.done("GET", f"/{version['disclosure_id']}/preview")["preview"] == draft
