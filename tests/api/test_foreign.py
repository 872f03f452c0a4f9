"""auto_format_nested_fields (API.md §6): the payloads of other systems, posted as their programs post them."""

import copy
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import LEADS, NUMBER, Json, end, refused, send, take, taken, warned
from tests.api.test_dry_run import essence
from tests.factories import Account
from tests.unit.foreign import CASES, SAMPLES

FOREIGN = "+17194451111"


def flat(tree: Json) -> dict[str, str]:
    """A payload as programs send it in a form: nothing for null, and `data.json` under its own name."""
    members = {f"data.{key}": value for key, value in tree.get("data", {}).items()} if "page_id" in tree else {}
    fields = {key: value for key, value in tree.items() if not members or key != "data"} | members
    return {key: "" if value is None else str(value) for key, value in fields.items()}


def as_json(tree: Json) -> Json:
    return {"json": tree}


def as_form(tree: Json) -> Json:
    return {"data": urlencode(flat(tree)), "content_type": "application/x-www-form-urlencoded"}


def as_parts(tree: Json) -> Json:
    return {"data": flat(tree), "content_type": "multipart/form-data"}


# How each program sends: the token and the flag stand in the URL that it was given.
WAYS: dict[str, tuple[str, Any]] = {
    "Typeform": ("typeform", as_json),
    "Google Ads": ("google_ads", as_json),
    "Meta": ("meta", as_json),
    "HubSpot": ("hubspot", as_json),
    "Gravity Forms in JSON": ("gravity_forms", as_json),
    "Gravity Forms as a form": ("gravity_forms", as_form),
    "Elementor as a form": ("elementor", as_form),
    "Elementor in JSON, flat": ("elementor", as_json),
    "Elementor without advanced data": ("elementor_simple", as_form),
    "Jotform": ("jotform", as_parts),
    "Unbounce": ("unbounce", as_form),
    "Tally": ("tally", as_json),
    "Formstack as a form": ("formstack", as_form),
    "Formstack in JSON": ("formstack", as_json),
    "Mautic": ("mautic", as_json),
    "CallRail's call": ("callrail", as_json),
    "CallRail's form": ("callrail_form", as_json),
    "WhatConverts": ("whatconverts", as_json),
    "Webflow": ("webflow", as_json),
    "Webflow's first version": ("webflow_first", as_json),
    "Zapier as a form": ("zapier", as_form),
    "Zapier in JSON": ("zapier", as_json),
    "Make as a form": ("make", as_form),
    "Make in JSON": ("make", as_json),
}


def post(client: FlaskClient, token: str, payload: Json, how: Any = as_json, **query: Any) -> TestResponse:
    """The payload, posted to the URL that its program was given."""
    asked = {"lead_token": token, "auto_format_nested_fields": "true"} | query
    return client.post(LEADS, query_string=asked, **how(payload))


# Whose variations are seen at the border too: shapes that many systems send, and what Meta sends beside its leads.
AT_THE_BORDER = [case for case in CASES if case["of"] in ("opened", "questions", "flat", "meta")]

# Those that say an id of the lead's own, by which a repeated delivery is known.
WITH_IDS = (
    *("typeform", "google_ads", "meta", "jotform", "tally", "formstack", "callrail", "callrail_form", "whatconverts"),
    *("webflow", "webflow_first"),
)

# The samples


@pytest.mark.parametrize("token", ["schedule_token", "publishable_token"])
@pytest.mark.parametrize("way", WAYS)
def test_a_payload_is_taken_as_its_program_sends_it(
    client: FlaskClient, account: Account, way: str, token: str
) -> None:
    name, how = WAYS[way]
    dry = post(client, getattr(account, token), SAMPLES[name], how, dry_run="1")
    assert account.leads() == account.submissions() == []
    answer = post(client, getattr(account, token), SAMPLES[name], how)
    body = taken(answer)
    assert essence(dry)[2] | {"why": None} == essence(answer)[2] | {"why": None}
    assert body["action"] == ("created" if token == "schedule_token" else "received")
    assert body["warnings"] == []
    [lead] = account.leads()
    address = "laura@example.com" if name == "typeform" else "jane@example.com"
    assert (lead["caller_id"], lead["email"], lead["test"]) == (FOREIGN, address, name == "google_ads")
    assert body["lead"]["caller_id"] == FOREIGN
    assert body["lead"]["data"] == lead["data"]
    assert body["matched"][0].keys() >= {"field", "from", "by", "payload"}
    # A form's simple fields have the name of the parameter; the others are said to be read from somewhere.
    found = {each["field"] for each in body["matched"]}
    assert found >= ({"caller_id"} if name == "elementor_simple" else {"caller_id", "email"})
    [submission] = account.submissions()
    lifted = [step for step in json.loads(submission["why"]) if step["step"] == "lift"]
    assert [step["decided"] for step in lifted] == [body["matched"]]


@pytest.mark.parametrize("case", AT_THE_BORDER, ids=lambda case: f"{case['of']}: {case['case']}")
def test_a_payload_leaves_the_lead_that_its_row_says(client: FlaskClient, account: Account, case: Json) -> None:
    answer = post(client, account.schedule_token, case["tree"])
    if "caller_id" not in case["lifted"]:
        refused(answer, "caller_id_missing")
        assert account.leads() == []
        return
    body = taken(answer)
    assert {each["payload"] for each in body["matched"]} <= {case["payload"]}
    [lead] = account.leads()
    assert lead["caller_id"] == f"+1{re.sub('[^0-9]', '', str(case['lifted']['caller_id']))[-10:]}"
    assert {name: lead["data"][name] for name in case["tokens"]} == case["tokens"]
    assert lead["test"] == case.get("test", False)


def test_what_hidden_fields_name_is_attributed(client: FlaskClient, account: Account) -> None:
    lead = taken(post(client, account.schedule_token, SAMPLES["typeform"]))["lead"]
    assert (lead["traffic_source_id"], lead["sub_id"]) == ("google_ads", "a1b2c3d")
    assert "0" * 32 not in json.dumps(lead)
    [submission] = account.submissions()
    assert "0" * 32 not in submission["received"]
    assert submission["vendor_lead_id"] == SAMPLES["typeform"]["form_response"]["token"]


def test_a_payload_that_is_delivered_twice_is_one_lead(client: FlaskClient, account: Account) -> None:
    for name in WITH_IDS:
        first, second = (taken(post(client, account.schedule_token, SAMPLES[name])) for _ in range(2))
        assert (second["action"], second["lead_id"]) == ("replayed", first["lead_id"])
        end(account, first["lead_id"])


def test_a_payload_that_comes_again_with_more_in_it_changes_its_own_lead(client: FlaskClient, account: Account) -> None:
    for name in WITH_IDS:
        if name in ("google_ads", "tally", "typeform", "meta"):
            continue
        first = taken(post(client, account.schedule_token, SAMPLES[name]))
        end(account, first["lead_id"])
        later = taken(post(client, account.schedule_token, SAMPLES[name] | {"note": f"later {name}"}))
        assert (later["action"], later["lead_id"]) == ("updated", first["lead_id"]), name
    assert len(account.leads()) == len(WITH_IDS) - 4


def test_a_test_of_jotforms_preview_is_a_test_lead(client: FlaskClient, account: Account) -> None:
    raw = json.loads(SAMPLES["jotform"]["rawRequest"]) | {"preview": "true"}
    payload = SAMPLES["jotform"] | {"rawRequest": json.dumps(raw)}
    assert taken(post(client, account.schedule_token, payload, as_parts))["lead"]["test"] is True


def test_answers_of_20_kb_in_one_field_are_read(client: FlaskClient, account: Account) -> None:
    raw = json.loads(SAMPLES["jotform"]["rawRequest"]) | {f"q{number}_note": "é" * 400 for number in range(20, 50)}
    payload = SAMPLES["jotform"] | {"rawRequest": json.dumps(raw, ensure_ascii=False), "pretty": "x" * 20_000}
    body = taken(post(client, account.schedule_token, payload, as_parts))
    assert body["lead"]["caller_id"] == FOREIGN
    assert warned(body) == [("pretty", "value_cut")]
    assert [name for name in body["lead"]["data"] if name.startswith("note")][-1] == "note_30"


def test_several_contacts_in_one_post_of_mautic_are_refused_with_the_remedy(
    client: FlaskClient, account: Account
) -> None:
    [event] = SAMPLES["mautic"]["mautic.lead_post_save_new"]
    other = {"contact": event["contact"] | {"id": 48}}
    body = refused(
        post(client, account.schedule_token, {"mautic.lead_post_save_new": [event, other]}), "caller_id_missing"
    )
    assert "2 contacts" in body["detail"]
    assert "Queue mode" in body["detail"]
    assert account.leads() == []


def test_unticked_boxes_of_meta_are_kept(client: FlaskClient, account: Account) -> None:
    boxes = [{"checkbox_key": "may_call", "is_checked": "1"}, {"checkbox_key": "may_text", "is_checked": ""}]
    body = taken(post(client, account.schedule_token, SAMPLES["meta"] | {"custom_disclaimer_responses": boxes}))
    data = body["lead"]["data"]
    assert (data["disclaimer_may_call"], data["disclaimer_may_text"]) == (True, False)


def test_numbers_that_are_unsafe_are_kept_as_text(client: FlaskClient, account: Account) -> None:
    payload = SAMPLES["google_ads"] | {"asset_group_id": 2**60, "form_id": 40000000000}
    data = taken(post(client, account.schedule_token, payload))["lead"]["data"]
    assert (data["asset_group_id"], data["form_id"]) == (str(2**60), 40000000000)


# What the flag changes, and what not


def test_without_the_flag_nothing_is_lifted(client: FlaskClient, account: Account) -> None:
    nested = {"contact": {"phone": FOREIGN, "email": "jane@example.com"}}
    for flag in (None, "", "false", False, 0):
        body = taken(send(client, account.schedule_token, **nested, auto_format_nested_fields=flag))
        assert "matched" not in body
        assert (body["lead"]["data"], body["lead"]["email"]) == (nested, None)
    refused(client.post(LEADS, json=nested | {"lead_token": account.schedule_token}), "caller_id_missing")


def test_what_was_sent_as_a_parameter_wins(client: FlaskClient, account: Account) -> None:
    own = {"caller_id": NUMBER, "email": "own@example.com", "traffic_source_id": "bing", "vendor_lead_id": "V1"}
    body = taken(post(client, account.schedule_token, SAMPLES["typeform"], **own))
    lead = body["lead"]
    assert (lead["caller_id"], lead["email"], lead["traffic_source_id"]) == (NUMBER, "own@example.com", "bing")
    assert {each["field"] for each in body["matched"]} == {"sub_id", "data.first_name"}
    assert lead["data"]["token"] == SAMPLES["typeform"]["form_response"]["token"]


def test_the_other_name_of_the_number_wins_too(client: FlaskClient, account: Account) -> None:
    body = taken(post(client, account.schedule_token, {"mobile": FOREIGN}, number=NUMBER))
    assert (body["lead"]["caller_id"], body["matched"]) == (NUMBER, [])


@pytest.mark.parametrize("name", ["phone", "mobile", "Cell Phone", "your-tel"])
def test_a_number_under_another_name_is_used(client: FlaskClient, account: Account, name: str) -> None:
    for sent in ({name: FOREIGN}, {"data": {name: FOREIGN}}, {"data_json": json.dumps({name: FOREIGN})}):
        body = taken(post(client, account.schedule_token, sent))
        assert body["lead"]["caller_id"] == FOREIGN
        [match] = body["matched"]
        assert (match["field"], match["payload"]) == ("caller_id", "unknown")
        assert match["from"] == (name if name in sent else f"data.{name}")


def test_a_number_that_is_none_is_refused_as_such(client: FlaskClient, account: Account) -> None:
    body = refused(post(client, account.schedule_token, {"phone": "12345"}), "invalid_caller_id")
    assert "12345" in body["detail"]


def test_wrong_parameters_are_named_with_the_flag_as_without(client: FlaskClient, account: Account) -> None:
    body = refused(post(client, account.schedule_token, {"phone": FOREIGN, "blocked": "x"}), "invalid_parameter")
    assert body["errors"].keys() == {"blocked"}
    body = refused(post(client, account.schedule_token, {"phone": FOREIGN, "data_json": "{"}), "invalid_parameter")
    assert body["errors"].keys() == {"data_json"}
    answer = post(client, account.schedule_token, {"phone": FOREIGN}, auto_format_nested_fields="maybe")
    assert refused(answer, "invalid_parameter")["errors"].keys() == {"auto_format_nested_fields"}


def test_metas_webhook_is_told_what_to_send_instead(client: FlaskClient, account: Account) -> None:
    body = refused(post(client, account.schedule_token, SAMPLES["meta_webhook"]), "caller_id_missing")
    assert body["errors"] == {"caller_id": ["is missing"]}
    assert "leadgen_id 123" in body["detail"]
    assert "Graph API" in body["detail"]
    assert taken(post(client, account.schedule_token, SAMPLES["meta_webhook"], caller_id=NUMBER))["action"] == "created"


def test_a_named_lead_takes_its_tokens_from_a_payload(client: FlaskClient, account: Account) -> None:
    lead_id = take(client, account.schedule_token)["lead_id"]
    asked = {"lead_token": account.schedule_token, "auto_format_nested_fields": "1"}
    payload = copy.deepcopy(SAMPLES["elementor"])
    body = taken(client.post(f"{LEADS}/{lead_id}/lead_update", query_string=asked, json=payload))
    assert (body["lead"]["caller_id"], body["lead"]["email"]) == (NUMBER, "jane@example.com")
    assert body["lead"]["data"]["utm_source"] == "x"
    assert warned(body) == [("caller_id", "no_effect")]
    edit = {"auto_format_nested_fields": True, "contact": {"mobile": FOREIGN}}
    answer = client.put(f"{LEADS}/{lead_id}", json=edit, headers=account.bearer)
    assert taken(answer)["lead"]["caller_id"] == FOREIGN
    nested = {"contact": {"mobile": FOREIGN}}
    removed = taken(client.post(f"{LEADS}/{lead_id}/lead_remove", query_string=asked, json=nested))
    assert "matched" not in removed
    assert {name for name, _ in warned(removed)} == {"auto_format_nested_fields", "contact"}


def test_more_values_than_a_lead_keeps_go_into_one(client: FlaskClient, account: Account) -> None:
    payload = {"phone": FOREIGN, "rows": [{"a": number} for number in range(300)]}
    body = taken(post(client, account.schedule_token, payload))
    assert warned(body) == [("extra", "too_many_tokens")]
    assert sorted([*body["lead"]["data"].values(), *body["lead"]["data"]["extra"].values()], key=str).count(299) == 1


def test_what_a_framework_adds_to_its_form_is_no_token(client: FlaskClient, account: Account) -> None:
    added = dict.fromkeys(("utf8", "_method", "authenticity_token", "consent", "hp"), "1")
    body = taken(post(client, account.schedule_token, {"mobile": FOREIGN, "action": "submit", **added}))
    assert body["lead"]["data"] == {"mobile": FOREIGN, "payload_action": "submit"}
    assert {name for name, _ in warned(body)} == added.keys() - {"consent"}


# Test leads


def test_googles_test_is_a_test_lead_and_makes_none_of_a_real_one(client: FlaskClient, account: Account) -> None:
    real = SAMPLES["google_ads"] | {"is_test": False, "lead_id": "real"}
    assert taken(post(client, account.schedule_token, real))["lead"]["test"] is False
    again = taken(post(client, account.schedule_token, SAMPLES["google_ads"]))
    assert (again["action"], again["lead"]["test"]) == ("updated", False)
    end(account, again["lead_id"])
    test = taken(post(client, account.offer_token, SAMPLES["google_ads"]))
    assert test["lead"]["test"] is True
    assert taken(post(client, account.offer_token, real))["lead"]["test"] is False


def test_googles_key_is_kept_nowhere(client: FlaskClient, account: Account) -> None:
    secret = "never-to-be-kept"
    for query in ({}, {"auto_format_nested_fields": "0", "caller_id": NUMBER}):
        payload = SAMPLES["google_ads"] | {"google_key": secret, "data": {"google_key": secret, "Google-Key": secret}}
        body = taken(post(client, account.schedule_token, payload, **query))
        assert secret not in json.dumps(body)
    refused(
        client.post(
            LEADS,
            query_string={"lead_token": account.schedule_token},
            data=f'{{"google_key": "{secret}", "hub.verify_token": "{secret}", ',
            content_type="application/json",
        ),
        "malformed_body",
    )
    for table in ("submission", "lead", "token"):
        assert secret not in str(account.rows(f"select * from {table} where company_id = :company_id"))


# Whose number it is


def test_two_callers_of_one_call_tracker_are_two_leads(client: FlaskClient, account: Account) -> None:
    for caller in ("+17194451111", "+17192221234"):
        call = {"tracking_phone_number": "+13035551234", "customer_phone_number": caller, "customer_name": "Jane"}
        body = taken(post(client, account.schedule_token, call))
        assert (body["action"], body["lead"]["caller_id"]) == ("created", caller)
        [number] = [each for each in body["matched"] if each["field"] == "caller_id"]
        assert number["from"] == "customer_phone_number"
        assert number["passed_over"] == [
            {"from": "tracking_phone_number", "reason": "it is not the lead's own: `tracking`"}
        ]
    assert sorted(lead["caller_id"] for lead in account.leads()) == ["+17192221234", "+17194451111"]


@pytest.mark.parametrize("how", [as_json, lambda tree: as_form({"assigned_to[phone]": tree["assigned_to"]["phone"]})])
def test_a_strangers_number_is_refused_by_name(client: FlaskClient, account: Account, how: Any) -> None:
    payload = {"assigned_to": {"name": "Bo", "phone": FOREIGN, "city": "Denver"}, "phone": ""}
    for query in ({}, {"dry_run": "1"}):
        body = refused(post(client, account.schedule_token, payload, how, **query), "caller_id_missing")
        for text in (body["message"], body["detail"], body["errors"]["caller_id"][0]):
            assert "assigned_to.phone (it is not the lead's own: `assigned`)" in text
        assert "Send the lead's own number as caller_id" in body["detail"]
        assert FOREIGN not in json.dumps(body)
    assert account.leads() == []
    [submission] = account.submissions()
    assert submission["code"] == "caller_id_missing"


def test_names_and_towns_of_a_stranger_are_not_the_leads(client: FlaskClient, account: Account) -> None:
    owner = {"name": "Bo Roe", "city": "Denver", "email": "bo@example.com", "phone": "+13035551234"}
    body = taken(post(client, account.schedule_token, {"mobile": FOREIGN, "owner": owner}))
    assert (body["lead"]["caller_id"], body["lead"]["email"]) == (FOREIGN, None)
    assert body["lead"]["data"] == {"mobile": FOREIGN} | {f"owner_{name}": value for name, value in owner.items()}


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ({"phone": {"number": "2071234567", "country": "GB", "countryCode": "+44"}}, "+442071234567"),
        ({"phone": "2072221234", "phone_country": "GB"}, "+442072221234"),
        ({"phone": "+17194451111", "phone_country": "GB"}, FOREIGN),
        ({"area": "719", "phone": "445-1111"}, FOREIGN),
        ({"q4_phone[area]": "719", "q4_phone[phone]": "445-1111"}, FOREIGN),
        ({"phone1": "719", "phone2": "445", "phone3": "1111"}, FOREIGN),
        ({"phone": "p:+17194451111"}, FOREIGN),
        ({"phone": "0044 20 7123 4567"}, "+442071234567"),
    ],
)
def test_a_number_is_read_with_what_stands_beside_it(
    client: FlaskClient, account: Account, sent: Json, number: str
) -> None:
    assert taken(post(client, account.schedule_token, sent))["lead"]["caller_id"] == number


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ({"caller_id": "2072221234", "phone_country": "GB"}, "+442072221234"),
        ({"caller_id": "2072221234", "country_code": "+44"}, "+442072221234"),
        ({"caller_id": "2072221234", "country_code": "44"}, "+442072221234"),
        ({"caller_id": "2072221234", "countryCode": 44}, "+442072221234"),
        ({"caller_id": "2072221234", "calling_code": "44"}, "+442072221234"),
        ({"caller_id": "2072221234", "dial_code": "+44"}, "+442072221234"),
        ({"number": "2072221234", "data": {"phone_country_code": "GB"}}, "+442072221234"),
        ({"caller_id": "2072221234", "phone_country": "United Kingdom (+44)"}, "+442072221234"),
        ({"caller_id": "+17194451111", "phone_country": "GB"}, FOREIGN),
        # Where somebody lives helps only where the number is none at home.
        ({"caller_id": "2072221234", "country": "GB"}, "+12072221234"),
        ({"caller_id": "2072221234", "country_code": "GB"}, "+12072221234"),
        ({"caller_id": "020 7222 1234", "country": "GB"}, "+442072221234"),
        ({"caller_id": "2072221234", "phone_country": "nowhere"}, "+12072221234"),
        ({"caller_id": "2072221234", "zip_code": "44", "agent_phone_country": "GB"}, "+12072221234"),
        ({"caller_id": "'+17194451111"}, FOREIGN),
        ({"caller_id": "p:+17194451111"}, FOREIGN),
        ({"caller_id": "+52 1 55 1234 5678"}, "+525512345678"),
        ({"caller_id": "6792221234"}, "+16792221234"),
    ],
)
def test_a_parameter_is_read_with_what_stands_beside_it(
    client: FlaskClient, account: Account, sent: Json, number: str
) -> None:
    body = taken(client.post(LEADS, json={"lead_token": account.schedule_token} | sent))
    assert body["lead"]["caller_id"] == number


def test_a_number_that_is_none_where_it_is_dialled_says_where(client: FlaskClient, account: Account) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": "2125551234", "phone_country": "GB"}
    assert "in GB" in refused(client.post(LEADS, json=sent), "invalid_caller_id")["detail"]
    payload = {"mobile": "2125551234", "phone_country": "GB"}
    assert "in GB" in refused(post(client, account.schedule_token, payload), "invalid_caller_id")["detail"]


@pytest.mark.parametrize("lifting", [None, "true"])
@pytest.mark.parametrize("form", ["flat", "in JSON as text", "nested", "encoded"])
def test_the_address_of_a_webhook_leaves_no_lead_token_in_the_lead(
    client: FlaskClient, account: Account, lifting: str | None, form: str
) -> None:
    address = f"https://leads.example.com/api/v1/leads?lead_token={account.schedule_token}&v=1"
    hidden: Json = {
        "flat": {"webhookURL": address},
        "in JSON as text": {"rawRequest": json.dumps({"slug": "submit/1", "webhookURL": address.replace("/", "\\/")})},
        "nested": {"form": {"hooks": [{"url": address, "lead_token": account.schedule_token}]}},
        "encoded": {"back": f"/thanks?from={quote(address, safe='')}"},
    }[form]
    sent = {"lead_token": account.schedule_token, "caller_id": NUMBER, "formID": "24", "submissionID": "61"} | hidden
    body = taken(client.post(LEADS, json=sent | ({"auto_format_nested_fields": lifting} if lifting else {})))
    assert account.schedule_token not in json.dumps(body)
    assert all(account.schedule_token not in json.dumps(lead, default=str) for lead in account.leads())


@pytest.mark.parametrize("lifting", [None, "true"])
@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"form": {"dry_run": True}}, "form.dry_run"),
        ({"lead": {"options": {"dryRun": "1"}}}, "lead.options.dryRun"),
        ({"data": {"form": {"Dry-Run": "yes"}}}, "data.form.Dry-Run"),
        ({"form": {"dry_run": "false", "dryRun": ""}}, None),
    ],
)
def test_a_dry_run_that_is_wished_within_a_payload_makes_no_lead(
    client: FlaskClient, account: Account, lifting: str | None, sent: Json, path: str | None
) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": NUMBER} | sent
    answer = client.post(LEADS, json=sent | ({"auto_format_nested_fields": lifting} if lifting else {}))
    if path is None:
        taken(answer)
        return
    assert list(refused(answer, "invalid_parameter")["errors"]) == [path]
    assert account.leads() == []
