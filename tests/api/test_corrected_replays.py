"""What nobody could read is kept, and taken after all once somebody says what it was, or in which charset."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.calls import LEADS, NUMBER, PAGE, SUBMISSIONS, Json, refused, send, taken, warned
from tests.factories import Account

BODY = {"caller_id": NUMBER, "first_name": "Ann"}
# The second byte of the second letter is a backslash, which ends the text too late.
SHIFT_JIS = f'{{"caller_id": "{NUMBER}", "first_name": "表", "auth_token": "SECRET"}}'


def lose(client: FlaskClient, account: Account, body: bytes, content_type: str = "application/json") -> str:
    """Sends what cannot be read; the submission that is kept of it."""
    answer = client.post(f"{LEADS}?lead_token={account.schedule_token}&zip=80202", data=body, content_type=content_type)
    assert answer.status_code in (400, 415)
    assert account.leads() == []
    submission_id: str = answer.get_json()["metadata"]["submission_id"]
    return submission_id


def replay(client: FlaskClient, account: Account, submission_id: str, **asked: Any) -> Any:
    """A replay by the company's key."""
    return client.post(f"{SUBMISSIONS}/{submission_id}/replay", json=asked, headers=account.bearer)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"caller_id": "719', "application/json"),
        (b'{"caller_id": "7192221234",}', "application/json"),
        (b"<lead><phone>7192221234</phone></lead>", "text/xml"),
        (b"caller_id=7192221234", "multipart/form-data"),
    ],
)
def test_a_corrected_body_is_taken_in_place_of_what_could_not_be_read(
    client: FlaskClient, account: Account, body: bytes, content_type: str
) -> None:
    lost = lose(client, account, body, content_type)
    again = refused(
        replay(client, account, lost), "malformed_body" if "xml" not in content_type else "unsupported_media_type"
    )
    assert "corrected body" in again["message"]
    shown = taken(replay(client, account, lost, body=BODY, dry_run=True))
    assert account.leads() == []
    answer = taken(replay(client, account, lost, body=BODY))
    assert shown["lead"]["data"] == answer["lead"]["data"] == {"zip": "80202", "first_name": "Ann"}
    assert answer["why"][0]["read"]["corrected"] == {"body": True}
    assert answer["why"][0]["read"]["api_key"] is not None
    [lead] = account.leads()
    assert lead["caller_id"] == NUMBER
    assert json.loads(account.submissions()[-1]["received"])["body"] == BODY
    assert taken(replay(client, account, lost, body=BODY))["action"] == "replayed"
    assert len(account.leads()) == 1


def test_a_corrected_charset_has_the_bytes_that_came_read_again(client: FlaskClient, account: Account) -> None:
    lost = lose(client, account, SHIFT_JIS.encode("cp932"))
    stored = account.submissions()[0]["received"]
    assert "SECRET" not in stored
    assert "U0VDUkVU" not in stored
    assert refused(replay(client, account, lost, charset="euc-kr"), "malformed_body")
    answer = taken(replay(client, account, lost, charset="Shift_JIS"))
    assert answer["lead"]["data"] == {"zip": "80202", "first_name": "表"}
    assert answer["why"][0]["read"]["corrected"] == {"charset": "Shift_JIS"}
    assert warned(answer) == []


def test_a_correction_that_corrects_nothing_is_refused_by_name(client: FlaskClient, account: Account) -> None:
    read = send(client, account.schedule_token, caller_id="1").get_json()["metadata"]["submission_id"]
    lost = lose(client, account, b'{"caller_id": "7192221234",}')
    in_bytes = lose(client, account, SHIFT_JIS.encode("cp932"))
    wrong: list[tuple[str, Json, str]] = [
        (read, {"body": BODY}, "body"),
        (read, {"charset": "shift_jis"}, "charset"),
        (lost, {"body": BODY, "charset": "shift_jis"}, "charset"),
        (lost, {"body": "caller_id=1"}, "body"),
        (lost, {"body": [BODY]}, "body"),
        (lost, {"charset": "shift_jis"}, "charset"),
        (in_bytes, {"charset": "zlib"}, "charset"),
        (in_bytes, {"charset": "klingon"}, "charset"),
    ]
    for submission_id, asked, named in wrong:
        answer = refused(replay(client, account, submission_id, **asked), "invalid_parameter")
        assert list(answer["errors"]) == [named], asked
    assert account.leads() == []


def test_a_corrected_body_goes_through_the_same_gate(client: FlaskClient, account: Account) -> None:
    url = f"{LEADS}?lead_token={account.publishable_token}"
    answer = client.post(url, data=b'{"caller_id"', content_type="application/json", headers={"Origin": PAGE})
    lost = answer.get_json()["metadata"]["submission_id"]
    refused(replay(client, account, lost, body={"caller_id": "1"}), "invalid_caller_id")
    answer = taken(replay(client, account, lost, body=BODY | {"delete_existing": True}))
    assert ("delete_existing", "needs_server_token") in warned(answer)


def test_only_who_may_replay_may_correct(client: FlaskClient, account: Account) -> None:
    lost = lose(client, account, b'{"caller_id"')
    path = f"{SUBMISSIONS}/{lost}/replay"
    refused(client.post(path, json={"body": BODY}), "key_required")
    refused(client.post(path, json={"body": BODY}, headers=account.key("leads:read")), "scope_missing")
    assert account.leads() == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_secret_in_broken_utf_16_is_kept_nowhere(client: FlaskClient, account: Account, encoding: str) -> None:
    lose(client, account, '{"auth_token": "SECRETWORD", "a": '.encode(encoding))
    stored = account.submissions()[0]["received"]
    assert "SECRETWORD" not in stored.replace("\\\\x00", "").replace("\\u0000", "")
    assert "unread_bytes" not in stored
