"""What pages fetch: the script of a snippet, its builds, and what tells a page whether it is allowed. No key opens
these: they say nothing that the source of a page does not."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from server.api.answers import json_answer, own_origin
from server.api.throttle import a_minute, limiter
from server.consent.stamp import make_stamp
from server.embed.build import QUICK, pack, packed, version_of
from server.embed.queries import Hosted, find_body, find_hosted
from server.embed.rules import Places, configuration
from server.embed.script import check_script, with_configuration
from server.errors import Refused
from server.lead_tokens.rules import origin_allowed
from server.lib import clock

# Where it lies is a setting, which `app.py` reads.
blueprint = Blueprint("embed", __name__)

# Any page may load it, in any of the ways that browsers know.
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
SCRIPT = "text/javascript; charset=utf-8"
# A change is seen within a minute; what never changes is asked for once.
A_MINUTE = "public, max-age=60"
FOR_EVER = "public, max-age=31536000, immutable"
# A page must not fill its console because of us: what it is answered is JavaScript.
NO_SCRIPT = b"/* Handraiser: there is no such snippet, or it is not in use any more. */\n"


def places() -> Places:
    """Where pages find us, as whoever asks does."""
    config = current_app.config
    origin = own_origin() or config["URL"]
    return Places(origin, config["SNIPPET_PATH"], config["LEADS_PATH"])


@blueprint.get("/check.js")
def check_file() -> Response:
    """The second file, which looks at a page for its owner."""
    return script(check_script(), A_MINUTE)


@blueprint.get("/<name>.js")
def script_file(name: str) -> Response:
    """The script of a token, freshly stamped, or one of its builds as it was."""
    token, dot, named = name.partition(".")
    if dot:
        body = find_body(token, named)
        return missing() if body is None else script(body, FOR_EVER)
    now = clock.now()
    hosted = find_hosted(token, now)
    return missing() if hosted is None else script(stamped(note(hosted), now), A_MINUTE, is_own_address())


@blueprint.get("/<token>/check")
@limiter.limit(a_minute("ADDRESS_LIMIT"))
def check_page(token: str) -> Response:
    """Whether the page that asks may use the snippet."""
    # Who asks has perhaps just changed it.
    hosted = find_hosted(token, clock.now(), fresh=True)
    if hosted is None:
        raise Refused("not_found", "There is no such snippet", {"lead_token": ["names no snippet that is in use"]})
    origins = note(hosted).allowed_origins
    origin, referrer = request.headers.get("Origin"), request.headers.get("Referer")
    allowed = origin_allowed(origins, origin, referrer)
    return json_answer({"origin": origin, "allowed": allowed, "learning": not origins})


def note(hosted: Hosted) -> Hosted:
    """The same, told to the log."""
    g.facts = {"company": hosted.company_id, "token": hosted.facts.token[:8]}
    return hosted


def missing() -> Response:
    """The answer to a page whose script there is not."""
    g.code = "not_found"
    return Response(NO_SCRIPT, 404, HEADERS | {"Cache-Control": A_MINUTE}, content_type=SCRIPT)


def stamped(hosted: Hosted, now: datetime) -> bytes:
    """The script with its configuration and the stamp of these ten minutes."""
    known = configuration(hosted.facts, places())
    key = current_app.extensions["vault"].signing_key("stamp")
    stamp = make_stamp(key, hosted.facts.token, hosted.disclosure_id, now)
    return with_configuration(known | {"build": version_of(known), "stamp": stamp})


def is_own_address() -> bool:
    """Whether we are asked under an address that is surely ours. Without HANDRAISER_PUBLIC_URL a stranger may give us
    any name, and each has a script of its own."""
    return places().origin in current_app.config["ORIGINS"]


def script(body: bytes, cached: str, keep: bool = True) -> Response:
    """A script as the browser takes it, or the word that it has it already; packed once, if it is to be kept."""
    made = packed(body) if keep else pack(body, *QUICK)
    encoding = chosen_encoding()
    content: Any = getattr(made, encoding or "plain")
    response = Response(content, 200, HEADERS | {"Cache-Control": cached}, content_type=SCRIPT)
    if encoding:
        response.content_encoding = encoding
    # The bytes of each encoding have a tag of their own.
    response.set_etag(f"{made.etag}-{encoding}" if encoding else made.etag)
    response.make_conditional(request)
    return response


def chosen_encoding() -> str:
    """The smaller of those that whoever asks takes; nothing for the bytes as they are."""
    taken = request.accept_encodings
    best = max(("br", "gzip"), key=lambda name: taken[name])
    return best if taken[best] > 0 else ""
