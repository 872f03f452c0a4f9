"""From a request to what it asks of the database: validated, normalised, attributed, within its powers. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.errors import Refused
from server.lead_tokens import rules
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads import normalise
from server.leads.params import TOKEN_PARAMETERS, Asked, invalid_character, read_asked
from server.leads.posting import Posting
from server.lib import json, secrets
from server.lib.phone import Phone
from server.lib.wire import Unreadable, first_bad_character
from server.schedules.rules import due
from server.sources.rules import Attribution, attribute

# Visible ASCII; a comma is what HTTP makes of two headers.
KEY = re.compile(r"[!-+\--~]{1,255}")

# What publishable powers may wish; every other wish is left undone and named in the warnings.
PUBLIC_FIELDS = frozenset(
    [
        "caller_id",
        "number",
        "email",
        "contact_field_type",
        "traffic_source_id",
        "sub_id",
        "assign_trackdrive_number",
        "assign_sms_number",
        "auto_format_nested_fields",
        "vendor_lead_id",
        "data",
    ]
)
PUBLIC_IF_TRUE = frozenset({"blocked", "opt_out"})

# Lifting a block or an opt-out is for API keys that may update leads, whatever the token.
LIFTS = frozenset({"blocked", "opt_out"})

# Declared and validated; what they do is built next. Until then they are named in the warnings.
NOT_YET = frozenset(
    [
        "schedule_callback_at",
        "schedule_callback_in_seconds",
        "update_all_matching_leads",
        "apply_to",
        "assign_trackdrive_number",
        "assign_sms_number",
        "auto_format_nested_fields",
    ]
)

Why = list[dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """What one request asks, decided as far as the request and its token decide it."""

    posting: Posting
    grant: Grant
    powers: str
    asked: Asked
    phone: Phone
    attribution: Attribution
    submission_id: str
    public_lead_id: str
    idempotency_key: str | None
    content_hash: str
    why: Why

    @property
    def now(self) -> datetime:
        """When the request came: the time of everything it does."""
        return self.posting.now

    @property
    def public(self) -> bool:
        """Whether it has publishable powers."""
        return self.powers == PUBLIC

    @property
    def vendor_lead_id(self) -> str | None:
        """The vendor's own id, where it decides something: with publishable powers it is only on record."""
        return None if self.public else self.asked.fields.get("vendor_lead_id")

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be kept."""
        return self.asked.controls.get("dry_run") is True

    @property
    def explain(self) -> bool:
        """Whether the answer shows why; a dry run always does."""
        return self.dry_run or self.asked.controls.get("explain") is True

    @property
    def expires_at(self) -> datetime | None:
        """When the lead leaves its schedule, if this request says so."""
        hours = self.asked.fields.get("hours_to_expire")
        return None if hours is None else self.now + timedelta(hours=hours)

    @property
    def deletes_at(self) -> datetime | None:
        """When the lead is deleted, if this request says so."""
        minutes = self.asked.fields.get("expires_in")
        return None if minutes is None else self.now + timedelta(minutes=minutes)

    @property
    def first_action_at(self) -> datetime | None:
        """When a new lead's first action runs."""
        step = self.grant.first_step
        if step is None:
            return None
        return self.asked.fields.get("next_action_at") or due(step, self.now)


def make_plan(posting: Posting, grant: Grant) -> Plan:
    """Everything that can be decided without looking at stored leads; raises Refused."""
    tree = posting.tree
    browser = rules.from_browser(posting.origin, posting.fetch_site, posting.own_origin)
    powers, why_powers = rules.powers(grant.kind, grant.exposed, browser)
    refuse_key_in_url(posting)
    admit(posting, grant)
    refuse_unreadable(posting, tree)
    asked = read_asked(tree)
    key = idempotency_key(posting, asked)
    phone = normalise.normalise_phone(asked, grant.region)
    why_number = {
        "step": "number",
        "read": {"region": grant.region, "vanity": phone.vanity},
        "decided": phone.e164,
        "rule": "normalised to E.164",
    }
    normalise.normalise_email(asked)
    normalise.normalise_times(asked, grant.time_zone, posting.now)
    check_redirect(asked, grant)
    why_wishes = limit_wishes(asked, powers, may_lift(posting, grant, powers))
    if posting.key_sent and (posting.key is None or posting.key.company_id != grant.company_id):
        asked.warn(
            "auth_token",
            "key_ignored",
            "The credential that was sent is no API key of this company; it is ignored.",
        )
    fields = asked.fields
    attribution, why_source = attribute(
        fields.get("traffic_source_id"), fields.get("sub_id"), grant.sources, grant.default_source
    )
    why_token = {
        "step": "token",
        "read": {"kind": grant.kind},
        "decided": grant.owner_kind,
        "record": grant.owner_id,
    }
    return Plan(
        posting=posting,
        grant=grant,
        powers=powers,
        asked=asked,
        phone=phone,
        attribution=attribution,
        submission_id=secrets.new_id(),
        public_lead_id=secrets.random_id(),
        idempotency_key=key,
        content_hash=content_hash(asked, powers, why_wishes),
        why=[why_token, why_powers, why_number, why_wishes, why_source],
    )


def refuse_key_in_url(posting: Posting) -> None:
    """Refuses an API key in the URL, before it is missed elsewhere."""
    if "auth_token" in posting.query:
        text = "must not stand in a URL"
        detail = "An API key must not stand in a URL, where logs keep it. Send it in the Authorization header."
        raise Refused("key_in_url", f"An API key {text}", {"auth_token": [text]}, detail)


def admit(posting: Posting, grant: Grant) -> None:
    """Turns away what may not use the token at all."""
    if grant.kind == "publishable" and not rules.origin_allowed(
        grant.allowed_origins, posting.origin, posting.referrer
    ):
        origin = posting.origin or rules.origin_of(posting.referrer) or "no origin"
        raise Refused(
            "origin_not_allowed",
            f"This token may not be used from {origin}",
            {"lead_token": [f"may not be used from {origin}"]},
            f"This token may not be used from {origin}. Add the origin to the token, or use that page's own token.",
        )
    if grant.require_authorization:
        require_key(posting, grant)


def require_key(posting: Posting, grant: Grant) -> None:
    """The company takes leads only with an API key that may create them."""
    how = "This company takes leads only with an API key: send `Authorization: Bearer <private key>`."
    if not posting.key_sent:
        raise Refused("key_required", "An API key is required", {"auth_token": ["is missing"]}, how)
    if posting.key is None or posting.key.company_id != grant.company_id:
        raise Refused("key_invalid", "The API key is not valid", {"auth_token": ["is not valid"]}, how)
    if "leads:create" not in posting.key.scopes:
        text = "lacks the scope leads:create"
        raise Refused("scope_missing", f"The API key {text}", {"auth_token": [text]}, f"The API key {text}. {how}")


def unreadable(problem: Unreadable) -> Refused:
    """The refusal of a request that the reader could not read."""
    errors = {problem.parameter: [problem.message]} if problem.parameter else {}
    return Refused(problem.code, problem.message, errors)


def refuse_unreadable(posting: Posting, tree: dict[str, Any]) -> None:
    """Refuses what could not be read, and characters that no database keeps."""
    if posting.unreadable is not None:
        raise unreadable(posting.unreadable)
    bad = first_bad_character(tree)
    if bad is not None:
        raise invalid_character(bad)


def check_redirect(asked: Asked, grant: Grant) -> None:
    """Says aloud that a form will not be sent on."""
    for name in ("redirect_to", "redirect_error"):
        if name in asked.controls and not rules.redirect_allowed(grant.allowed_redirects, asked.controls[name]):
            asked.warn(
                name,
                "redirect_not_allowed",
                f"{name} is not on the token's list of redirects; it is ignored.",
            )


def idempotency_key(posting: Posting, asked: Asked) -> str | None:
    """The key of the request, from its header or its parameter; raises Refused for one that is none."""
    header, param = posting.idempotency_header, asked.controls.get("idempotency_key")
    if header is None and param is None:
        return None
    key = param if header is None else header
    agree = header is None or param in (None, header)
    if not isinstance(key, str) or not KEY.fullmatch(key) or not agree:
        text = "must be one key of 1 to 255 visible ASCII characters without comma"
        raise Refused("bad_idempotency_key", f"Idempotency-Key {text}", {"idempotency_key": [text]})
    return key


def may_lift(posting: Posting, grant: Grant, powers: str) -> bool:
    """Whether this request may lift a block or an opt-out: a public one never does, whatever key it carries."""
    key = posting.key
    return powers != PUBLIC and key is not None and key.company_id == grant.company_id and "leads:update" in key.scopes


def limit_wishes(asked: Asked, powers: str, lifts: bool) -> dict[str, Any]:
    """Takes out of the fields what the request may not wish, and says so in its warnings."""
    left: list[str] = []
    for name, value in list(asked.fields.items()):
        if name in TOKEN_PARAMETERS or (value is False and name not in LIFTS):
            continue
        if powers == PUBLIC and name not in PUBLIC_FIELDS and not (name in PUBLIC_IF_TRUE and value is True):
            asked.warn(name, "needs_server_token", f"{name} is left undone: a publishable token may not wish it.")
        elif name in LIFTS and value is False and not lifts:
            asked.warn(name, "needs_key", f"{name}=false is left undone: it needs an API key with leads:update.")
        elif name == "unblock_contact" and not lifts:
            asked.warn(name, "needs_key", "unblock_contact is left undone: it needs an API key with leads:update.")
        elif name in NOT_YET:
            asked.warn(name, "no_effect", f"{name} is valid and has no effect yet.")
        else:
            continue
        left.append(name)
        del asked.fields[name]
    rule = "wishes beyond the token's powers are left undone" if left else "all wishes are within the token's powers"
    return {
        "step": "wishes",
        "read": {"powers": powers, "lifts": lifts},
        "decided": {"left_undone": left},
        "rule": rule,
    }


def content_hash(asked: Asked, powers: str, wishes: dict[str, Any]) -> str:
    """What makes two requests the same: every value they set, and the authority with which they set it."""
    fields = {name: value for name, value in asked.fields.items() if name not in TOKEN_PARAMETERS and name != "data"}
    fields.pop("number", None)
    content = [powers, wishes["decided"], fields, asked.tokens]
    return hashlib.sha256(json.canonical(content)).hexdigest()
