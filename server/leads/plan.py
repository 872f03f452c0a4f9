"""From a request to what it asks of the database: validated, normalised, attributed, within its powers. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from server.errors import Refused
from server.foreign.recognise import Lifted
from server.lead_tokens import rules
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads import lifting, normalise
from server.leads.admission import admit, powers_of, prove, refuse_key_in_url, unreadable
from server.leads.consent import Consent, read_consent, why_consent
from server.leads.pages import complete_number, find_email, name_visitor, with_labels
from server.leads.params import TOKEN_PARAMETERS, Asked, invalid_character, read_asked, refuse_misspelt
from server.leads.posting import Original, Posting
from server.leads.tokens import OVERFLOW, fold_new
from server.leads.unproven import judge_replay, say_lacks
from server.leads.wishes import limit_wishes
from server.lib import json, secrets
from server.lib.pattern import Matcher
from server.lib.phone import Phone
from server.lib.wire import first_bad_character
from server.offers.contact_fields import ContactFieldType
from server.schedules.rules import due
from server.sources.rules import Attribution, attribute

# Visible ASCII; a comma is what HTTP makes of two headers.
KEY = re.compile(r"[!-+\--~]{1,255}")

# The number of a lead that is named by its id, until the lead is read.
UNREAD = Phone("", test=False, vanity=False)

# What two requests may differ in that are the same: the tokens are compared apart, and when a box was ticked that a
# double click sends twice is no other lead.
UNCOMPARED = frozenset({*TOKEN_PARAMETERS, "data", "number", "consent", "hp"})

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
    # What a page is told; empty where nobody hears of it.
    public_lead_id: str
    idempotency_key: str | None
    content_hash: str
    contact_field_type: ContactFieldType | None
    callback_at: datetime | None
    lifted: Lifted | None
    consent: Consent
    why: Why
    # Whether it is one of more than people fill in.
    burst: bool = False
    # Whether it stops one number more than people have.
    stops_many: bool = False
    # What its values were found to match, where that was asked before.
    matcher: Matcher | None = None

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
        original = self.posting.original
        return self.asked.controls.get("dry_run") is True or (original is not None and original.dry_run)

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
        step = self.grant.first_steps.get(self.grant.schedule_id or 0)
        if step is None:
            return None
        return self.asked.fields.get("next_action_at") or due(step, self.now)

    @property
    def matches_offer(self) -> bool:
        """Whether a live lead elsewhere under the offer is meant as well, or may be."""
        if self.grant.offer_id is None or self.posting.verb is not None:
            return False
        everywhere = bool(self.asked.fields.get("update_all_matching_leads")) and self.grant.schedule_id is None
        return everywhere or self.posting.endpoint == "create_or_update"

    @property
    def may_create(self) -> bool:
        """Whether it may make a lead that is not there."""
        return self.posting.verb is None and not self.asked.fields.get("update_only")


def make_plan(posting: Posting, grant: Grant) -> Plan:
    """Everything that can be decided without looking at stored leads; raises Refused."""
    tree = posting.tree
    powers, why_powers = powers_of(posting, grant)
    refuse_key_in_url(posting)
    admit(posting, grant, powers)
    refuse_unreadable(posting, tree)
    if powers == PUBLIC and posting.size > grant.most_public_bytes:
        raise too_large(grant.most_public_bytes)
    prove(posting, grant)
    why_proof = judge_replay(posting, grant) if posting.replays else []
    lifted = None
    if lifting.FLAG in tree and posting.verb in (None, "update") and lifting.wished(tree):
        # What is lifted is spelt by others.
        refuse_misspelt(tree)
        tree, lifted = lifting.lift_payload(tree, grant.region)
    from_page = grant.kind == "publishable"
    asked = read_asked(with_labels(tree) if from_page else tree, posting.notes)
    # Before the wishes: what is no time at all is refused whoever wishes it, and so is one out of range.
    normalise.normalise_times(asked, grant.time_zone, posting.now)
    key = idempotency_key(posting, asked)
    why_wishes = limit_wishes(posting, grant, asked, powers)
    why_parts = complete_number(asked, grant.region) if from_page and lifted is None else []
    phone, why_number = read_phone(posting, asked, grant.region, lifted)
    if from_page and lifted is None:
        find_email(asked)
    normalise.normalise_email(asked)
    kind = normalise.normalise_type(asked, grant.contact_field_types)
    callback_at = normalise.normalise_callback(asked, posting.now)
    check_redirect(asked, grant)
    if posting.key_sent and (posting.key is None or posting.key.company_id != grant.company_id):
        asked.warn(
            "auth_token",
            "key_ignored",
            "The credential that was sent is no API key of this company; it is ignored.",
        )
    if why_proof:
        text = f"The submission lacks {say_lacks(why_proof[0]['read']['lacks'])}: {why_proof[0]['rule']}."
        asked.warn("accept_unproven", "unproven", text)
    fields = asked.fields
    attribution, why_source = attribute(
        fields.get("traffic_source_id"), fields.get("sub_id"), grant.sources, grant.default_source
    )
    why_token = {
        "step": "token",
        "read": {"kind": grant.kind} | ({"api_key": posting.key.key_id} if posting.by_key and posting.key else {}),
        "decided": grant.owner_kind,
        "record": grant.owner_id,
    }
    consent = read_consent(posting, asked, grant, powers)
    hashed = content_hash(posting, asked, powers, why_wishes, phone)
    # What makes two requests the same is what was sent, whatever there is room for meanwhile.
    limit_names(asked, grant, powers)
    if from_page:
        name_visitor(asked)
    plan = Plan(
        posting=posting,
        grant=grant,
        powers=powers,
        asked=asked,
        phone=phone,
        attribution=attribution,
        submission_id=posting.submission_id or secrets.new_id(),
        public_lead_id=secrets.random_id() if powers == PUBLIC else "",
        idempotency_key=key,
        content_hash=hashed,
        contact_field_type=kind,
        callback_at=callback_at,
        lifted=lifted,
        consent=consent,
        why=[why_token, why_powers, *why_proof, *why_parts, *why_number, why_wishes, why_source, *why_consent(consent)],
    )
    if posting.original is not None:
        # The page keeps the id that it was told.
        plan.public_lead_id = posting.original.public_lead_id or plan.public_lead_id
        plan.why = why_replay(posting, posting.original) + plan.why
    return plan


def why_replay(posting: Posting, original: Original) -> Why:
    """The first step of what is taken once more; what is released keeps its steps of before."""
    read: dict[str, Any] = {
        "action": original.action,
        "code": original.code,
        "api_key": posting.key.key_id if posting.key else None,
    }
    if original.released:
        rule = "an API key has taken it out of quarantine, by the rules of today"
        return [*original.why, {"step": "release", "read": read, "decided": "released", "rule": rule}]
    if original.corrected:
        read |= {"corrected": dict(original.corrected)}
    rule = "an API key has the submission taken once more, by the rules of today"
    return [
        {"step": "replay", "read": read, "decided": "taken once more", "rule": rule, "record": original.submission_id}
    ]


def read_phone(posting: Posting, asked: Asked, region: str, lifted: Lifted | None) -> tuple[Phone, Why]:
    """The number that the request names, and why; a lead that is named by its id has one, which is read with it."""
    why_lifted = [] if lifted is None else [lifting.why_lifted(lifted)]
    if posting.names_number:
        asked.fields["caller_id"] = posting.subject
    elif posting.verb is not None and "caller_id" not in asked.fields:
        return UNREAD, why_lifted
    if "<" in asked.fields.get("caller_id", "<"):
        lifting.refuse_test_lead(asked)
    if lifted is not None:
        lifting.refuse_numberless(asked, lifted)
    elif "caller_id" not in asked.fields:
        lifting.refuse_closed(posting.tree, region)
    region = region_of_number(posting, asked, region, lifted)
    phone = normalise.normalise_phone(asked, region)
    if lifted is not None and lifted.test:
        phone = phone._replace(test=True)
    why = {
        "step": "number",
        "read": {"region": region, "vanity": phone.vanity},
        "decided": phone.e164,
        "rule": "normalised to E.164",
    }
    return phone, [*why_lifted, why]


def region_of_number(posting: Posting, asked: Asked, region: str, lifted: Lifted | None) -> str:
    """The region that the number is dialled from: what stands beside it says so, or it is the company's."""
    if posting.names_number:
        return region
    if lifted is not None and "caller_id" in lifted.fields:
        return lifted.region or region
    return normalise.dialled_from(asked, region)


def refuse_unreadable(posting: Posting, tree: dict[str, Any]) -> None:
    """Refuses what could not be read, and characters that no database keeps."""
    if posting.unreadable is not None:
        raise unreadable(posting.unreadable)
    bad = first_bad_character(tree)
    if bad is not None:
        raise invalid_character(bad)


def too_large(most: int) -> Refused:
    """The refusal of a body that is longer than a page's may be."""
    text = f"The body is longer than {most} bytes, which is as much as a page may send"
    return Refused("too_large", text, {}, f"{text}. Send less, or send it from a server with a server token.")


def limit_names(asked: Asked, grant: Grant, powers: str) -> None:
    """Puts tokens into one whose names would be more than a company may have, or than pages may bring; what its contact
    fields ask for stays.

    Who posts at the same moment may find room for the same name: the statement that registers it looks again.
    """
    room = grant.names_of(powers) - (len(grant.token_names) - grant.deleted_names)
    if len(asked.tokens) <= room:
        return
    known = grant.token_names | {field.key for field in grant.contact_fields} | asked.made
    asked.tokens, folded = fold_new(asked.tokens, known, room)
    if folded:
        names = ", ".join(folded[:5]) + (f" and {len(folded) - 5} more" if len(folded) > 5 else "")
        text = f"The company has as many token names as it may; {names} is kept in the token {OVERFLOW}."
        asked.warn(OVERFLOW, "too_many_token_names", text)


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
    # Keys count per token; who edits by API key has a better guard in the state that was seen.
    if posting.by_key or (header is None and param is None):
        return None
    key = param if header is None else header
    agree = header is None or param in (None, header)
    if not is_key(key) or not agree:
        text = "must be one key of 1 to 255 visible ASCII characters without comma"
        raise Refused("bad_idempotency_key", f"Idempotency-Key {text}", {"idempotency_key": [text]})
    return key


def is_key(value: object) -> TypeGuard[str]:
    """Whether it can be an idempotency key."""
    return isinstance(value, str) and KEY.fullmatch(value) is not None


def content_hash(posting: Posting, asked: Asked, powers: str, wishes: dict[str, Any], phone: Phone) -> str:
    """What makes two requests the same: every value they set, and the authority with which they set it."""
    fields = {name: value for name, value in asked.fields.items() if name not in UNCOMPARED}
    content: list[Any] = [powers, wishes["decided"], fields, asked.tokens]
    if posting.verb is not None:
        content += [posting.verb, phone.e164 if posting.names_number else (posting.subject or "").lower()]
    return hashlib.sha256(json.canonical(content)).hexdigest()
