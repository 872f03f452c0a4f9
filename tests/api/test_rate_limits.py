"""Rate limits at the endpoints: who is limited, by what, until when, and what is kept of it: nothing."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.api.health import SHARED, Readiness
from server.config import Settings
from server.lead_tokens.models import LeadToken
from tests.api.calls import LEADS, NUMBER, OTHER_NUMBER, PAGE, Json, refused, taken
from tests.conftest import opened
from tests.factories import Account, make_account

ADDRESS, SAME_NUMBER, TOKEN, GUESSES = 6, 4, 9, 3
FIELDS = "/api/v1/tokens/fields"

# No two tests share a minute, and so no count.
DAYS = count(1)

# The counts begin anew at the full minute; this is some time after it.
SECONDS_IN = 12


@pytest.fixture(scope="module")
def limited_settings(settings: Settings) -> Settings:
    return replace(settings, address_limit=ADDRESS, number_limit=SAME_NUMBER, token_limit=TOKEN, guess_limit=GUESSES)


@pytest.fixture(scope="module")
def limited(limited_settings: Settings) -> Iterator[Flask]:
    """An application that is soon tired."""
    with opened(limited_settings) as app:
        yield app


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until it is moved."""
    day = datetime(2027, 1, 1, 6, 0, SECONDS_IN, tzinfo=UTC) + timedelta(days=next(DAYS))
    with time_machine.travel(day, tick=False) as traveller:
        yield traveller


class Street:
    """Who posts to us from many addresses, and what they hear."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.numbers = (f"+1719222{last:04}" for last in count(1000))
        self.addresses = (f"198.51.100.{last}" for last in count(1))

    def post(self, token: str, url: str = LEADS, **how: Any) -> TestResponse:
        """A lead of a new number from a new address, unless other ones are given."""
        address = how.pop("address", None) or next(self.addresses)
        headers = how.pop("headers", None)
        method = how.pop("method", "POST")
        params = {"lead_token": token, "caller_id": next(self.numbers)} | how
        return self.client.open(
            url, method=method, json=params, headers=headers, environ_overrides={"REMOTE_ADDR": address}
        )

    def get(self, url: str, address: str, headers: dict[str, str] | None = None) -> TestResponse:
        return self.client.get(url, headers=headers, environ_overrides={"REMOTE_ADDR": address})


@pytest.fixture
def street(limited: Flask, moment: time_machine.Traveller) -> Street:
    return Street(limited)


def too_often(answer: TestResponse, *parameters: str) -> int:
    """The seconds that a limited request is told to wait; it names what came too often."""
    body: Json = refused(answer, "rate_limited")
    assert (answer.status_code, set(body["errors"])) == (429, set(parameters))
    assert body["metadata"]["submission_id"] is None
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", answer.request.headers.get("Origin"))
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert f"{answer.headers['Retry-After']} s" in body["detail"]
    return int(answer.headers["Retry-After"])


SAME_HOUSE = {
    "IPv4": ["203.0.113.7"] * 20,
    "IPv6, by its /64": [f"2001:db8:0:1::{host:x}" for host in range(1, 21)],
    "IPv4 in IPv6": ["203.0.113.9", "::ffff:203.0.113.9"] * 10,
}
NEXT_DOOR = {
    "IPv4": "203.0.113.8",
    "IPv6, by its /64": "2001:db8:0:2::1",
    "IPv4 in IPv6": "::ffff:203.0.113.10",
}


@pytest.mark.parametrize("kind", SAME_HOUSE)
def test_an_address_is_limited_and_its_neighbour_is_not(
    street: Street, account: Account, moment: time_machine.Traveller, kind: str
) -> None:
    tokens = [account.publishable_token, account.token(kind="publishable")]
    house = iter(SAME_HOUSE[kind])
    for number in range(ADDRESS):
        taken(street.post(tokens[number % 2], address=next(house)))
    wait = too_often(street.post(tokens[0], address=next(house)), "remote_ip")
    assert wait == 60 - SECONDS_IN + 1
    taken(street.post(tokens[0], address=NEXT_DOOR[kind]))
    moment.shift(wait - 2)
    too_often(street.post(tokens[1], address=next(house)), "remote_ip")
    moment.shift(2)
    taken(street.post(tokens[0], address=next(house)))
    assert len(account.submissions()) == ADDRESS + 2


def test_a_number_is_limited_over_all_pages_of_a_company(
    street: Street, account: Account, app: Flask, moment: time_machine.Traveller
) -> None:
    tokens = [account.publishable_token, account.token(kind="publishable")]
    spelt = ["+17192221234", "(719) 222-1234", "719.222.1234", "17192221234"]
    for number in range(SAME_NUMBER):
        taken(street.post(tokens[number % 2], caller_id=spelt[number]))
    wait = too_often(street.post(tokens[0], caller_id=NUMBER), "caller_id")
    assert wait == 60 - SECONDS_IN + 1
    taken(street.post(tokens[0], caller_id=OTHER_NUMBER))
    taken(street.post(make_account(app).publishable_token, caller_id=NUMBER))
    moment.shift(wait)
    taken(street.post(tokens[0], caller_id=NUMBER))
    assert len(account.submissions()) == SAME_NUMBER + 2


def test_a_token_is_limited_whoever_has_it_and_the_database_stays_as_it_is(
    street: Street, account: Account, moment: time_machine.Traveller
) -> None:
    heard = [street.post(account.publishable_token) for _ in range(TOKEN + 100)]
    for answer in heard[:TOKEN]:
        taken(answer)
    assert {too_often(answer, "lead_token") for answer in heard[TOKEN:]} == {60 - SECONDS_IN + 1}
    assert len(account.submissions()) == len(account.leads()) == TOKEN
    taken(street.post(account.token(kind="publishable")))


def test_all_that_came_too_often_is_named_and_the_longest_wait_is_told(
    street: Street, account: Account, moment: time_machine.Traveller
) -> None:
    page, other_page = account.publishable_token, account.token(kind="publishable")
    for _ in range(SAME_NUMBER):
        taken(street.post(page, caller_id=NUMBER))
    moment.shift(70)
    for _ in range(ADDRESS):
        taken(street.post(page, address="203.0.113.7"))
    late = too_often(street.post(page, address="203.0.113.7"), "remote_ip")
    for _ in range(2):
        taken(street.post(other_page, caller_id=NUMBER))
    soon = too_often(street.post(other_page, caller_id=NUMBER), "caller_id")
    both = street.post(other_page, caller_id=NUMBER, address="203.0.113.7")
    assert soon < late == too_often(both, "remote_ip", "caller_id")


def test_what_is_limited_by_its_number_uses_up_nothing_of_its_address_and_its_token(
    street: Street, account: Account
) -> None:
    for _ in range(SAME_NUMBER):
        taken(street.post(account.publishable_token, caller_id=NUMBER, address="203.0.113.7"))
    for _ in range(20):
        too_often(street.post(account.publishable_token, caller_id=NUMBER, address="203.0.113.7"), "caller_id")
    for _ in range(ADDRESS - SAME_NUMBER):
        taken(street.post(account.publishable_token, address="203.0.113.7"))
    for _ in range(TOKEN - ADDRESS):
        taken(street.post(account.publishable_token))


# --- Whose requests count -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "headers"),
    [("a page's", {}), ("a server's, from a page", {"Origin": PAGE}), ("a server's, exposed", {})],
)
def test_all_publishable_powers_are_limited(
    street: Street, account: Account, token: str, headers: dict[str, str]
) -> None:
    exposed: Json = {"exposed_at": datetime.now(UTC), "exposed_origin": PAGE} if "exposed" in token else {}
    value = account.publishable_token if token == "a page's" else account.token(**exposed)
    heard = [street.post(value, headers=headers, caller_id=NUMBER) for _ in range(SAME_NUMBER + 1)]
    assert [answer.status_code for answer in heard] == [200] * SAME_NUMBER + [429]


def test_a_server_token_has_no_limit(street: Street, account: Account) -> None:
    for _ in range(2 * TOKEN):
        taken(street.post(account.vendor_token, caller_id=NUMBER, address="203.0.113.7"))
        refused(street.post(account.vendor_token, caller_id="911", address="203.0.113.7"), "invalid_caller_id")
    taken(street.post(account.publishable_token, caller_id=NUMBER, address="203.0.113.7"))


def test_a_server_token_is_limited_where_its_owner_says_so_and_by_nothing_else(
    street: Street, account: Account
) -> None:
    most = 2 * TOKEN
    value = account.token(per_minute_limit=most)
    how = {"caller_id": NUMBER, "address": "203.0.113.7"}
    for _ in range(most):
        taken(street.post(value, **how))
    too_often(street.post(value, **how), "lead_token")
    too_often(street.post(value, f"{LEADS}/{NUMBER}/caller_opt_out", method="PUT", **how), "lead_token")
    taken(street.post(account.publishable_token, **how))


@pytest.mark.parametrize("most", [1, 2 * TOKEN])
def test_a_publishable_tokens_own_limit_takes_the_place_of_the_general_one(
    street: Street, account: Account, most: int
) -> None:
    value = account.token(kind="publishable", per_minute_limit=most)
    for _ in range(most):
        taken(street.post(value))
    too_often(street.post(value), "lead_token")


def test_edits_by_api_key_are_not_limited(street: Street, account: Account) -> None:
    value = account.token(kind="publishable", per_minute_limit=1)
    taken(street.post(value))
    [lead] = account.leads()
    for name in "abc":
        answer = street.client.put(f"{LEADS}/{lead['id']}", json={"city": name}, headers=account.bearer)
        assert answer.status_code == 200
    too_often(street.post(value), "lead_token")


REFUSED: dict[str, Json] = {
    "invalid_caller_id": {"caller_id": "911"},
    "caller_id_missing": {"caller_id": ""},
    "invalid_parameter": {"lead_priority": "high"},
    "origin_not_allowed": {"headers": {"Origin": "https://evil.example"}},
    "scope_missing": {"url": f"{LEADS}/{NUMBER}/caller_opt_out", "method": "PUT"},
    "bad_idempotency_key": {"headers": {"Idempotency-Key": "a,b", "Origin": PAGE}},
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_refused_counts_too_for_it_is_kept(street: Street, account: Account, code: str) -> None:
    value = account.token(kind="publishable", allowed_origins=[PAGE])
    how = {"headers": {"Origin": PAGE}, "address": "203.0.113.7"} | REFUSED[code]
    for _ in range(ADDRESS):
        refused(street.post(value, **how), code)
    too_often(street.post(value, **how), "remote_ip")
    assert len(account.submissions()) == ADDRESS


def test_a_dry_run_counts(street: Street, account: Account) -> None:
    for _ in range(SAME_NUMBER):
        taken(street.post(account.publishable_token, caller_id=NUMBER, dry_run="true"))
    too_often(street.post(account.publishable_token, caller_id=NUMBER, dry_run="true"), "caller_id")


def test_a_token_that_has_ended_sounds_as_one_that_never_was_and_fills_no_table(
    street: Street, account: Account
) -> None:
    ended = account.token(kind="publishable", disabled_at=datetime(2026, 1, 1, tzinfo=UTC))
    heard = [street.post(ended, address="203.0.113.7", caller_id=NUMBER) for _ in range(TOKEN + 10)]
    unknown = refused(street.post("pub_" + "0" * 32), "lead_token_invalid")
    for answer in heard:
        body = refused(answer, "lead_token_invalid")
        assert body | {"metadata": None} == unknown | {"metadata": None}
        assert body["metadata"]["submission_id"] is None
    assert len(account.submissions()) == TOKEN
    # What such a token does to its sender's other requests would tell of it as well.
    taken(street.post(account.publishable_token, address="203.0.113.7", caller_id=NUMBER))


def test_a_change_of_the_configuration_does_not_count_a_request_twice(street: Street, account: Account) -> None:
    value = account.token(kind="publishable", per_minute_limit=2)
    taken(street.post(value))
    account.change(LeadToken, token_id(account, value), name="Renamed")
    taken(street.post(value))
    too_often(street.post(value), "lead_token")


def token_id(account: Account, value: str) -> int:
    [row] = account.rows("select id from lead_token where value = :value", value=value)
    return int(row["id"])


def test_a_forms_visitor_goes_to_the_page_for_errors(street: Street, account: Account) -> None:
    value = account.token(kind="publishable", per_minute_limit=1, allowed_redirects=["https://good.example"])
    taken(street.post(value))
    answer = street.post(value, redirect_error="https://good.example/no")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://good.example/no")


def test_a_limit_of_nought_is_none(client: FlaskClient, account: Account) -> None:
    for _ in range(3):
        taken(client.post(LEADS, json={"lead_token": account.publishable_token, "caller_id": NUMBER}))
        assert client.get(f"{FIELDS}?lead_token={account.publishable_token}").status_code == 200
        assert client.get("/api/v1/offers").status_code == 401


# --- Addresses ------------------------------------------------------------------------------------------------------


def test_who_is_no_proxy_of_ours_gains_nothing_by_naming_other_addresses(street: Street, account: Account) -> None:
    for last in range(ADDRESS):
        claims = {"X-Forwarded-For": f"192.0.2.{last}", "X-Real-IP": f"192.0.2.{last}"}
        taken(street.post(account.publishable_token, address="203.0.113.7", headers=claims))
    claims = {"X-Forwarded-For": "192.0.2.99"}
    too_often(street.post(account.publishable_token, address="203.0.113.7", headers=claims), "remote_ip")


def test_behind_a_proxy_of_ours_the_address_that_it_adds_is_limited(
    limited_settings: Settings, account: Account, moment: time_machine.Traveller
) -> None:
    with opened(replace(limited_settings, trusted_proxies=1)) as app:
        street = Street(app)

        def through(forwarded: str) -> TestResponse:
            headers = {"X-Forwarded-For": forwarded}
            return street.post(account.publishable_token, address="127.0.0.1", headers=headers)

        for last in range(ADDRESS):
            taken(through(f"192.0.2.{last}, 203.0.113.7"))
        too_often(through("192.0.2.99, 203.0.113.7"), "remote_ip")
        taken(through("203.0.113.8"))


# --- Questions and guesses ------------------------------------------------------------------------------------------


def test_asking_for_fields_is_limited_by_address(
    street: Street, account: Account, moment: time_machine.Traveller
) -> None:
    url = f"{FIELDS}?lead_token={account.publishable_token}"
    for _ in range(ADDRESS):
        assert street.get(url, "203.0.113.7").status_code == 200
    wait = too_often(street.get(url, "203.0.113.7"), "remote_ip")
    assert street.get(url, "203.0.113.8").status_code == 200
    taken(street.post(account.publishable_token, address="203.0.113.7"))
    moment.shift(wait)
    assert street.get(url, "203.0.113.7").status_code == 200


GUESSED = {"wrong": {"Authorization": "Bearer " + "0" * 64}, "missing": {}}


@pytest.mark.parametrize("guess", GUESSED)
@pytest.mark.parametrize("url", [LEADS, "/api/v1/offers", f"{LEADS}/7"])
def test_guesses_at_api_keys_are_limited_and_a_valid_key_is_never_locked_out(
    street: Street, account: Account, moment: time_machine.Traveller, guess: str, url: str
) -> None:
    for _ in range(GUESSES):
        assert street.get("/api/v1/submissions", "2001:db8::1", GUESSED[guess]).status_code == 401
    wait = too_often(street.get(url, "2001:db8::2", GUESSED[guess]), "auth_token")
    valid = street.get("/api/v1/offers", "2001:db8::1", account.bearer)
    assert valid.status_code == 200
    assert street.get(url, "203.0.113.7", GUESSED[guess]).status_code == 401
    moment.shift(wait)
    assert street.get(url, "2001:db8::2", GUESSED[guess]).status_code == 401


def test_a_valid_key_counts_for_nothing(street: Street, account: Account) -> None:
    for _ in range(3 * GUESSES):
        assert street.get("/api/v1/offers", "203.0.113.7", account.bearer).status_code == 200
        assert street.get("/api/v1/users", "203.0.113.7", account.key("leads:read")).status_code == 403
    assert street.get("/api/v1/offers", "203.0.113.7").status_code == 401


def test_no_request_passes_a_hook_of_the_limiters(app: Flask) -> None:
    hooks = [app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs]
    modules = {hook.__module__ for each in hooks for hook in each.get(None, []) if hasattr(hook, "__module__")}  # type: ignore[attr-defined]
    assert "server.api.observe" in modules
    assert not [name for name in modules if name.startswith("flask_limiter")]


# What costs much and needs no token


@pytest.mark.parametrize(
    "path", ["/api/docs.json", "/api/docs/1.0/quickstart.html", "/api/docs/static/search.js", "/apispec_1.json"]
)
def test_an_address_may_read_so_much_of_the_docs(street: Street, path: str) -> None:
    for _ in range(ADDRESS):
        assert street.get(path, "203.0.113.30").status_code == 200
    too_often(street.get(path, "203.0.113.30"), "remote_ip")
    assert street.get(path, "203.0.113.31").status_code == 200


def test_batches_of_strangers_count_against_their_address_and_leave_its_servers_alone(
    street: Street, account: Account
) -> None:
    batch, here = f"{LEADS}/batch", "203.0.113.32"
    for _ in range(ADDRESS):
        refused(street.post("0" * 32, batch, leads=[{}], address=here), "lead_token_invalid")
    too_often(street.post("0" * 32, batch, leads=[{}], address=here), "remote_ip")
    too_often(street.post(account.publishable_token, address=here), "remote_ip")
    refused(street.post("0" * 32, batch, leads=[{}]), "lead_token_invalid")
    leads = [{"caller_id": NUMBER}]
    assert street.post(account.schedule_token, batch, leads=leads, address=here).get_json()["counts"]["created"] == 1


class Counting:
    """A runner that counts what is asked of it."""

    def __init__(self, runner: Any) -> None:
        self.runner, self.runs = runner, 0

    def run(self, act: Any) -> Any:
        self.runs += 1
        return self.runner.run(act)


def test_all_who_ask_whether_it_is_ready_share_one_look(app: Flask) -> None:
    runner, readiness = Counting(app.extensions["ledger"]), Readiness()
    with app.app_context(), ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        list(pool.map(lambda _: readiness.check(runner), range(500)))  # type: ignore[arg-type]
        assert 1 <= runner.runs <= 1 + (time.monotonic() - began) / SHARED
        time.sleep(SHARED)
        before = runner.runs
        readiness.check(runner)  # type: ignore[arg-type]
        assert runner.runs == before + 1


def guess(street: Street, token: str, secret: str, address: str, url: str = LEADS) -> TestResponse:
    """A lead as Google sends it."""
    return street.client.post(
        url,
        json={"lead_token": token, "google_key": secret, "caller_id": next(street.numbers)},
        environ_overrides={"REMOTE_ADDR": address},
    )


def test_guesses_at_a_secret_are_limited_before_it_is_compared(street: Street, account: Account) -> None:
    vault = street.client.application.extensions["vault"]
    token = account.token(payload_secret=vault.seal("the secret of the form"))
    here, there = "203.0.113.33", "203.0.113.34"
    for _ in range(GUESSES + 2):
        taken(guess(street, token, "the secret of the form", here))
    for _ in range(GUESSES):
        refused(guess(street, token, "wrong", here), "key_invalid")
    # The right one is not told from a wrong one any more.
    for secret in ("the secret of the form", "wrong"):
        too_often(guess(street, token, secret, here), "payload_secret")
    taken(guess(street, token, "the secret of the form", there))


def test_guesses_in_a_batch_and_by_a_question_count_too(street: Street, account: Account) -> None:
    vault = street.client.application.extensions["vault"]
    token = account.token(payload_secret=vault.seal("the secret of the form"))
    leads = [{"google_key": f"guess {number}", "caller_id": NUMBER} for number in range(GUESSES + 2)]
    answer = street.client.post(
        f"{LEADS}/batch", json={"lead_token": token, "leads": leads}, environ_overrides={"REMOTE_ADDR": "203.0.113.35"}
    )
    codes = [each["code"] for each in answer.get_json()["results"]]
    assert codes == ["key_invalid"] * GUESSES + ["rate_limited"] * 2

    def ask(secret: str) -> TestResponse:
        query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": secret, "lead_token": token}
        return street.client.get(LEADS, query_string=query, environ_overrides={"REMOTE_ADDR": "203.0.113.36"})

    assert ask("the secret of the form").text == "1"
    for _ in range(GUESSES):
        assert ask("wrong").status_code == 401
    too_often(ask("the secret of the form"), "payload_secret")
