"""A value that is too long beside a good number loses no lead: it is cut, aloud, and the submission keeps it whole."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from tests.api.calls import LEADS, NUMBER, Json, refused, taken, warned
from tests.factories import Account
from tests.unit import DATA

ROWS: list[Json] = json.loads((DATA / "long_values.json").read_text(encoding="utf-8"))
# How each is sent; what only JSON can say is sent so.
WAYS = [
    (row, form, lifting)
    for row in ROWS
    for form in ([False] if row.get("json") else [False, True])
    for lifting in ([None] if row.get("json") else [None, "true"])
]


def spelt_out(value: Any) -> Any:
    """The value with `<9000 x>` written out."""
    if isinstance(value, dict):
        return {name: spelt_out(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [spelt_out(inner) for inner in value]
    return re.sub(r"<(\d+) (.)>", lambda match: match[2] * int(match[1]), value) if isinstance(value, str) else value


def as_form(sent: Json) -> MultiDict[str, str]:
    """The parameters as a form sends them."""
    fields = {name: value for name, value in sent.items() if name != "data"}
    return MultiDict(fields | {f"data[{name}]": value for name, value in sent.get("data", {}).items()})


@pytest.mark.parametrize(
    ("row", "form", "lifting"), WAYS, ids=[f"{row['case']}{' in a form' * form} {lift}" for row, form, lift in WAYS]
)
def test_a_long_value_does_what_the_table_says(
    client: FlaskClient, account: Account, row: Json, form: bool, lifting: str | None
) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": NUMBER} | spelt_out(row["sent"])
    sent |= {"auto_format_nested_fields": lifting} if lifting else {}
    answer = client.post(LEADS, data=as_form(sent)) if form else client.post(LEADS, json=sent)
    [submission] = account.submissions()
    received = json.loads(submission["received"])
    assert all(value in received["body"].values() for name, value in sent.items() if name != "lead_token" and not form)
    if "refused" in row:
        assert list(refused(answer, "invalid_parameter")["errors"]) == [row["refused"]]
        return
    body = taken(answer)
    assert warned(body) == [(name, code) for name, codes in row["warnings"].items() for code in codes.split()]
    [lead] = account.leads()
    assert lead["data"] == body["lead"]["data"] == spelt_out(row["data"])
    assert {name: body["lead"][name] for name in row.get("lead", {})} == spelt_out(row.get("lead", {}))
