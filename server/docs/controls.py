"""What stands beside the parameters of a lead and never becomes a token: in bodies, queries and headers."""

from collections.abc import Mapping

from server.docs.fields import Json, validations
from server.leads.schemas import Boolean
from server.periods import KEY_KEPT, spoken

CONTROLS: Mapping[str, Json] = {
    "dry_run": {
        "type": "boolean",
        "description": "Answers what would happen, and keeps nothing.",
        "x-validations": validations(Boolean()),
        "example": True,
    },
    "explain": {
        "type": "boolean",
        "description": "Adds `why` to the answer: each decision, step by step.",
        "x-validations": validations(Boolean()),
        "example": True,
    },
    "idempotency_key": {
        "type": "string",
        "pattern": "^[!-+\\--~]{1,255}$",
        "description": "Like the header `Idempotency-Key`: the request makes one lead, however often it is sent.",
        "example": "order-1042",
    },
    "data_json": {
        "type": "string",
        "description": "`data` as a JSON string, for clients that cannot send nested parameters.",
        "example": '{"loan_amount": "500"}',
    },
    "redirect_to": {
        "type": "string",
        "description": "Where the visitor of an HTML form is sent afterwards: one of the token's `allowed_redirects`.",
        "example": "https://shop.example/thanks",
    },
    "redirect_error": {
        "type": "string",
        "description": "Where the visitor of an HTML form is sent if the lead is refused.",
        "example": "https://shop.example/sorry",
    },
    "google_key": {
        "type": "string",
        "description": "The key that a Google Ads lead form sends: the token's `payload_secret`.",
        "example": "a-secret-of-the-form",
    },
    "auth_token": {
        "type": "string",
        "description": "A private API key; never in a URL.",
        "example": "0123456789abcdef0123456789abcdef",
    },
}
OF_PAGES_AND_REPEATS = {"idempotency_key", "redirect_to", "redirect_error"}
IDEMPOTENCY: Mapping[str, Json] = {
    "Idempotency-Key": {key: value for key, value in CONTROLS["idempotency_key"].items() if key != "description"}
    | {"description": f"The request makes one lead, however often it is sent with this key within {spoken(KEY_KEPT)}."}
}
REPLAYED: Mapping[str, Json] = {
    "Idempotent-Replayed": {
        "type": "string",
        "enum": ["true"],
        "description": "This repeats the answer that the key got before.",
    }
}
