"""What a company has, so that requests of the document's shapes also mean something."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation, BaseSchema

from tests.api.calls import NUMBER, OTHER_NUMBER, PAGE, take
from tests.api.kinds import KINDS, VERSION, new_number, new_word
from tests.factories import Account

Json = dict[str, Any]
API, JSON = "/api/v1/", "application/json"
UNKNOWN_ID = "74da9151-d988-4428-8087-c8dcf47ae9a2"


class World:
    """A company and the ids of its things, by their path's name."""

    def __init__(self, account: Account) -> None:
        self.account, self.client = account, account.app.test_client()
        self.ids = {
            "offers": [account.offer_id],
            "schedules": [account.schedule_id],
            "schedule_actions": [account.action_id],
            "traffic_sources": [account.source_id],
        }
        [own] = account.rows("select id from api_key where public = :public", public=account.public_key)
        self.key_id = own["id"]
        self.keys = [account.bearer] * 12 + [
            {"Authorization": f"Token {account.private_key}"},
            account.key("config:read", "leads:read", "submissions:read", "access:read"),
            {"Authorization": "Bearer undefined"},
            {},
        ]
        # A server token that a page has shown once does little from then on, so that only some are.
        self.tokens = [account.schedule_token] * 6 + [account.offer_token, account.vendor_token] * 2 + ["unknown"]
        self.tokens.append(account.token(name="Form", allowed_redirects=[PAGE]))
        self.tokens_of_pages = [account.publishable_token, account.token(name="Shown")]

    def furnish(self) -> None:
        """One of each kind of thing, and leads."""
        for kind in KINDS:
            self.ids.setdefault(kind.many, []).append(kind.make(self.client, self.account)["id"])
        [disclosure_id] = self.ids["disclosures"]
        path = f"{API}disclosures/{disclosure_id}/versions"
        version = self.client.post(path, json=VERSION, headers=self.account.bearer).get_json()["version"]
        published = self.client.post(f"{path}/{version['id']}/publish", headers=self.account.bearer)
        assert published.status_code == 200, published.get_json()
        self.ids["versions"] = [version["id"]]
        for number in (OTHER_NUMBER, NUMBER):
            self.take_lead(number)

    def take_lead(self, number: str = NUMBER) -> None:
        """A lead that lives, whatever became of the one before it."""
        made = take(self.client, self.account.schedule_token, caller_id=number)
        self.remember("leads", made["lead_id"])
        self.remember("submissions", made["metadata"]["submission_id"])

    def learn(self, case: Case, response: Response) -> None:
        """Remembers what an answer has made, for requests that follow."""
        if response.status_code != 200 or case.method not in ("POST", "PUT"):
            return
        content = response.json()
        many = collection(case)
        shown = content.get(many.removesuffix("s"))
        if many == "leads" and content.get("action") in ("created", "updated") and "dry_run" not in content:
            self.remember(many, content["lead_id"])
            self.remember("submissions", content["metadata"]["submission_id"])
        elif isinstance(shown, dict) and "id" in shown:
            self.remember(many, shown["id"])

    def remember(self, many: str, row_id: Any) -> None:
        """Keeps some ids of a kind: the oldest, which others rest on, and the latest."""
        known = self.ids.setdefault(many, [])
        if row_id not in known:
            known[3:] = [*known[3:], row_id][-3:]

    def settle(self, case: Case, random: Random, linked: bool = False) -> dict[str, str]:
        """Gives a case what it needs to be about this company, mostly; the headers to send it with. Where an answer has
        led to it, its path stands."""
        # Copies: what was generated is what the case is judged by where it has not changed.
        case.path_parameters = {**(case.path_parameters or {})}
        case.query, case.headers = {**(case.query or {})}, {**(case.headers or {})}
        if isinstance(case.body, dict):
            case.body = {**case.body}
        if positive(case, ParameterLocation.PATH) and not linked:
            self.name_subject(case, random)
        self.spare_the_key(case)
        if random.random() < 0.7:
            case.headers.pop("If-Match", None)
            case.headers.pop("Idempotency-Key", None)
        if positive(case, ParameterLocation.QUERY):
            for name in [*case.query]:
                self.fill(case.query, name, random)
        if positive(case, ParameterLocation.BODY) and isinstance(case.body, dict):
            for name in [*case.body]:
                self.fill(case.body, name, random)
            if case.method == "POST":
                self.own(case.operation.path, case.body, random)
        if is_lead_endpoint(case.operation):
            return self.as_lead(case, random)
        return random.choice(self.keys)

    def plainest(self, operation: APIOperation) -> Case:
        """The least that an operation can be sent and do: what it requires, as the document shows it."""
        content = operation.definition.raw.get("requestBody", {}).get("content", {})
        case = operation.Case(media_type=JSON if content else None)
        case.path_parameters = {each.name: self.subject(case, each.name) for each in operation.path_parameters}
        if content:
            schema = content[JSON]["schema"]
            case.body = {name: self.shown(name, schema["properties"][name]) for name in schema.get("required", [])}
        if operation.path in (f"{API}lead_tokens", f"{API}snippets") and content:
            case.body["schedule_id"] = self.account.schedule_id
        if operation.path == f"{API}submissions/quarantine":
            # Without it, one has to say how many there are.
            case.body["dry_run"] = True
        # A key opens its company's list, where a token would be a filter that there is not.
        if is_lead_endpoint(case.operation) and not operation.path.startswith(f"{API}submissions"):
            case.query = {"lead_token": self.account.schedule_token}
            if operation.path.startswith(f"{API}leads") and not operation.path_parameters:
                case.query["caller_id"] = NUMBER
        return case

    def subject(self, case: Case, name: str) -> Any:
        """What a path may name."""
        if name == "version_id":
            return self.ids["versions"][0]
        if case.operation.path.startswith(f"{API}disclosures/{{id}}/"):
            # The one that has a version.
            return self.ids["disclosures"][0]
        if case.operation.path.endswith("{submission_id}/release"):
            return self.quarantined()
        return NUMBER if "caller_" in case.operation.path else self.ids[collection(case)][-1]

    def quarantined(self) -> str:
        """A submission that looks as if a program had sent it."""
        submission_id: str = take(self.client, self.account.publishable_token, hp="x")["metadata"]["submission_id"]
        return submission_id

    def shown(self, name: str, schema: Json) -> Any:
        """An example of the document, or what stands for it here."""
        known = self.values(name)
        value = known[0] if known else schema["example"]
        return value() if callable(value) else value

    def own(self, path: str, body: Json, random: Random) -> None:
        """A lead token with one owner, of the kind that it needs; a snippet with one, which has its token."""
        if path not in (f"{API}lead_tokens", f"{API}snippets"):
            return
        for name in ("schedule_id", "offer_id", "traffic_source_id"):
            body.pop(name, None)
        kinds = [("server", "schedule"), ("publishable", "offer"), ("postback", "traffic_source")]
        kind, owner = random.choice(kinds if path == f"{API}lead_tokens" else kinds[:2])
        body[f"{owner}_id"] = random.choice(self.ids[f"{owner}s"])
        if path == f"{API}lead_tokens":
            body["kind"] = kind
            if kind != "publishable":
                body.pop("disclosure_id", None)

    def name_subject(self, case: Case, random: Random) -> None:
        """A path that names one of this company's things."""
        many = collection(case)
        for name in case.path_parameters:
            if "caller_" in case.path:
                case.path_parameters[name] = random.choice([NUMBER, OTHER_NUMBER, NUMBER, case.path_parameters[name]])
            elif case.operation.path.endswith("{submission_id}/release") and random.random() < 0.7:
                case.path_parameters[name] = self.quarantined()
            elif many in self.ids:
                known = self.ids["versions" if name == "version_id" else many]
                case.path_parameters[name] = random.choice([*known, *known[-1:] * 4, case.path_parameters[name]])

    def spare_the_key(self, case: Case) -> None:
        """Keeps the test from deleting the key that it has."""
        if collection(case) == "api_keys" and str(case.path_parameters.get("id")) == str(self.key_id):
            case.path_parameters["id"] = 2**31 - 1

    def fill(self, place: Json, name: str, random: Random) -> None:
        """A value that means something, mostly."""
        known = self.values(name)
        if known is not None and random.random() < 0.9:
            value = random.choice(known)
            place[name] = value() if callable(value) else value

    def values(self, name: str) -> Sequence[Any] | None:
        """What a parameter of this name can mean here; None where any value will do."""
        if name.endswith(("_at", "_from", "_to")):
            return [soon] if name != "updated_at" else [""]
        if name.endswith("_id") and f"{name.removesuffix('_id').removeprefix('default_')}s" in self.ids:
            return self.ids[f"{name.removesuffix('_id').removeprefix('default_')}s"]
        if name == "number_ids":
            return [self.ids.get("numbers", [])]
        return VALUES.get(name)

    def as_lead(self, case: Case, random: Random) -> dict[str, str]:
        """A lead of one of the company's tokens, mostly of a number that was seen before; from a page, now and then."""
        place = case.body if isinstance(case.body, dict) else case.query
        on_page = random.random() < 0.15
        place["lead_token"] = random.choice(self.tokens_of_pages if on_page else self.tokens)
        place.pop("schedule_lead_token", None)
        place.pop("offer_lead_token", None)
        # A number of a shape that is forbidden stays.
        if case.operation.path.startswith(f"{API}leads") and isinstance(place.get("caller_id"), str | int | None):
            place["caller_id"] = random.choice([NUMBER, NUMBER, OTHER_NUMBER, new_number()])
            place.pop("number", None)
        return random.choice(
            [{"Origin": PAGE}, {"Sec-Fetch-Site": "cross-site"}, {}] if on_page else [{}, self.account.bearer]
        )


# What ends a thing, then what brings it back, as to the order of the plainest requests.
ORDER = {"lead_remove": 1, "caller_remove": 1, "DELETE": 2, "restore": 3}


def plain_order(api: BaseSchema) -> list[APIOperation]:
    """Every operation; what deletes comes last, and then what takes that back."""
    return sorted((each.ok() for each in api.get_all_operations()), key=lambda each: ORDER.get(verb_of(each), 0))


def verb_of(operation: APIOperation) -> str:
    """The last word of a path, or the method where that is a name."""
    last: str = operation.path.rpartition("/")[2]
    return operation.method.upper() if last.startswith("{") else last


def soon() -> str:
    """A time of the next days."""
    return (datetime.now(UTC) + timedelta(hours=6)).isoformat()


def new_email() -> str:
    """An address that nobody has."""
    return f"{new_word('john')}@example.com"


VALUES: dict[str, Sequence[Any]] = {
    "caller_id": [new_number, NUMBER, OTHER_NUMBER],
    "number": [new_number],
    "numbers": [[NUMBER, "no number", 17192225678]],
    "email": [new_email],
    "key": [lambda: new_word("key")],
    "name": [lambda: new_word("name")],
    "user_traffic_source_id": [lambda: new_word("source")],
    "position": [lambda: int(new_word("")[1:])],
    "pattern": [None, "[0-9]{5}"],
    "minimum": [None],
    "maximum": [None],
    "options": [[], ["80202"]],
    "allowed_origins": [[], [PAGE]],
    "allowed_redirects": [[], [PAGE]],
    "field_map": [{}, {"tel": "caller_id", "ZIP": "zip code"}],
    "parameters": [{}, {"aff": "sub_id"}],
    "messages": [{}, {"es_mx": {"sent": "Gracias."}}],
    "thank_you_url": [None, f"{PAGE}/thanks"],
    "redirect_to": [f"{PAGE}/thanks", PAGE],
    "redirect_error": [f"{PAGE}/sorry", "elsewhere"],
    "scopes": [["leads:read"], ["config:read", "leads:update"]],
    "filters": [{}, {"state": ["CA"]}],
    "acceptance": [{}, {"duplicate_seconds": 60}, {"require_traffic_source": True}],
    "cursor": [""],
    "columns": ["", "id,caller_id"],
    "data": [{}, {"first_name": "John", "loan_amount": 500}, {"a": {"b": [1, None, {"c": "d"}]}}],
    "data_json": ['{"state": "CA"}', {"state": "CA"}],
    "schedule_callback_in_seconds": ["0", "3600", 60],
    "lead_id": [None, UNKNOWN_ID],
    "hours_to_expire": [24, " 48"],
    "expires_in": [1440, "60"],
    "max_contact_attempts": [5, "3"],
    "lead_priority": [5, 1.5, "5.25"],
    "per_page": [1, 200],
    "idempotency_key": [lambda: new_word("key")],
}


def collection(case: Case) -> str:
    """The name of the things that a path is about: `offers`."""
    return str(case.operation.path.removeprefix(API).partition("/")[0])


def is_lead_endpoint(operation: APIOperation) -> bool:
    """Whether a lead token opens it."""
    return {} in operation.definition.raw["security"]


def positive(case: Case, location: ParameterLocation) -> bool:
    """Whether this part of a case is what the document asks for."""
    part = case.meta.components.get(location) if case.meta else None
    return part is None or part.mode.is_positive
