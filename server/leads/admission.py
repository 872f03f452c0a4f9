"""Who may use a lead token, here and now, and with which powers. Pure."""

from collections.abc import Mapping
from typing import Any

from server.errors import Refused
from server.foreign.proof import GOOGLE, META, TYPEFORM, holds, proofs_of
from server.lead_tokens import rules
from server.lead_tokens.rules import PUBLIC, SERVER, Grant
from server.leads.params import sent_token
from server.leads.posting import Posting
from server.lib.wire import Unreadable, parse_json


def powers_of(posting: Posting, grant: Grant) -> tuple[str, dict[str, Any]]:
    """What the token may do here, and why; an API key's scopes have been asked for where it opens the lead itself."""
    if posting.by_key:
        why = {"step": "powers", "read": {"endpoint": posting.endpoint}, "decided": SERVER, "rule": "an API key"}
        return SERVER, why
    if posting.original is not None:
        return rules.powers_once_more(grant.kind, posting.original.powers)
    browser = rules.from_browser(posting.origin, posting.fetch_site, posting.own_origin)
    return rules.powers(grant.kind, grant.exposed, browser)


def refuse_key_in_url(posting: Posting) -> None:
    """Refuses an API key in the URL, before it is missed elsewhere."""
    if posting.original is None and names_key(posting.query):
        raise key_in_url("Send it in the Authorization header.")


def names_key(sent: Mapping[str, Any]) -> bool:
    """Whether an API key stands among the parameters of a URL, however its name is spelt and wherever it stands: what
    is no key to us is kept and logged like anything else."""
    for name, value in sent.items():
        if is_key_name(name):
            return True
        if (type(value) is not str or name == "data_json") and names_key(hash_in(name, value)):
            return True
    return False


def is_key_name(name: str) -> bool:
    """Whether a parameter is called `auth_token`, `Auth-Token`, `authToken`."""
    near = name.lower()
    return "auth" in near and "".join(filter(str.isalnum, near)) == "authtoken"


def hash_in(name: str, value: object) -> Mapping[str, Any]:
    """The parameters that stand within one."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(place): item for place, item in enumerate(value)}
    if name != "data_json" or not isinstance(value, str):
        return {}
    try:
        return parse_json(value.encode(), notes=[])
    except (Unreadable, UnicodeError):
        return {}


def key_in_url(how: str) -> Refused:
    """The refusal of an API key in the URL."""
    text = "must not stand in a URL"
    detail = f"An API key {text}, where logs keep it. {how}"
    return Refused("key_in_url", f"An API key {text}", {"auth_token": [text]}, detail)


def admit(posting: Posting, grant: Grant, powers: str) -> None:
    """Turns away what may not use the token at all, or not here."""
    if posting.by_key:
        return
    is_listed = rules.origin_allowed(grant.allowed_origins, posting.origin, posting.referrer)
    if grant.kind == "publishable" and not is_listed and not posting.replays:
        origin = posting.origin or rules.origin_of(posting.referrer) or "no origin"
        raise Refused(
            "origin_not_allowed",
            f"This token may not be used from {origin}",
            {"lead_token": [f"may not be used from {origin}"]},
            f"This token may not be used from {origin}. Add the origin to the token, or use that page's own token.",
        )
    if posting.for_servers and powers == PUBLIC:
        text = "only adds leads: it is publishable, exposed, or used from a page"
        detail = f"This token {text}. Send the request from a server, with a server token that no page has shown."
        raise Refused("scope_missing", f"This token {text}", {"lead_token": [text]}, detail)
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


def prove(posting: Posting, grant: Grant) -> None:
    """Lets a request pass that comes from whom the token's owner gave the secret to; raises Refused for any other."""
    if grant.payload_secret is None or posting.original is not None or posting.by_key:
        return
    if not grant.payload_secret:
        text = "The secret of this token cannot be read"
        detail = f"{text}: it was kept under another HANDRAISER_SECRET_KEY. Set that again, or the token's secret."
        raise Refused("unavailable", text, None, detail)
    proofs = proofs_of(posting.signatures or {}, posting.body)
    if not proofs:
        text = "must be proven"
        detail = (
            f"The origin of what comes with this token {text}: sign the body as Typeform ({TYPEFORM}) or Meta ({META})"
            f" does, or send {GOOGLE}, with the token's payload_secret."
        )
        errors = {name: ["is missing"] for name in (TYPEFORM, META, GOOGLE)}
        raise Refused("key_required", "A proof of origin is required", errors, detail)
    if not any(holds(name, proof, posting.signed, grant.payload_secret) for name, proof in proofs.items()):
        text = "does not fit the token's payload_secret"
        detail = (
            f"{' and '.join(proofs)} {text}. Set the same secret on both sides, and send the body as it was signed."
        )
        raise Refused("key_invalid", "The proof of origin is not valid", {name: [text] for name in proofs}, detail)


def unreadable(problem: Unreadable) -> Refused:
    """The refusal of a request that the reader could not read."""
    errors = {problem.parameter: [problem.message]} if problem.parameter else {}
    return Refused(problem.code, problem.message, errors)


def authorises(grant: Grant, posting: Posting) -> bool:
    """Whether the token counts for this request: it is in force, and its owner is of the kind that was named."""
    if posting.by_key:
        return True
    owner_kind = sent_token(posting.tree)[1]
    return owner_kind in (None, grant.owner_kind) and grant.takes_leads(posting.now)


def no_token(posting: Posting) -> Refused:
    """One answer for a token that is unknown, disabled, expired or of the wrong kind."""
    if posting.unreadable is not None:
        return unreadable(posting.unreadable)
    return invalid_token() if posting.original is None else ended_token()


def invalid_token() -> Refused:
    """The refusal of a lead token."""
    return Refused(
        "lead_token_invalid",
        "Lead token is not valid",
        {"lead_token": ["is not valid"]},
        "lead_token names no schedule and no offer. Copy the token from the schedule or the offer.",
    )


def dry_run(posting: Posting) -> bool:
    """Whether a request that did not come as far as a plan asked for nothing to be kept."""
    asked = str(posting.tree.get("dry_run", "")).strip().lower() in ("1", "true", "yes", "on")
    return asked or (posting.original is not None and posting.original.dry_run)


def ended_token() -> Refused:
    """The same for who may know why, and can name another."""
    text = "takes no leads: it, or what it belongs to, has ended, or is of another kind than was sent"
    return Refused(
        "lead_token_invalid",
        "Lead token is not valid",
        {"lead_token_id": [text]},
        f"The submission's lead token {text}. Name another one of this company with lead_token_id.",
    )
