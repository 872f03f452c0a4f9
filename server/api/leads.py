"""The lead endpoints: a lead token opens them."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import MethodNotAllowed

from server.api import keys
from server.api.answers import error_answer, for_page, json_answer, own_origin
from server.api.visitor import is_person, page_of
from server.foreign.proof import META, TYPEFORM
from server.lead_tokens.rules import redirect_allowed
from server.leads.intake import take_lead
from server.leads.posting import Posting
from server.leads.settle import Taken
from server.lib import clock, json
from server.lib.wire import LIMITS, Limits, Note, Unreadable, read_body, read_query, read_signed

blueprint = Blueprint("leads", __name__, url_prefix="/api/v1/leads")


@blueprint.route("", methods=["POST", "PUT"], endpoint="create")
@blueprint.route("/capture", methods=["POST", "PUT"], endpoint="capture")
@blueprint.route("/create_or_update", methods=["POST", "PUT"], endpoint="create_or_update")
@blueprint.route("/<subject>/lead_update", methods=["POST", "PUT"], endpoint="lead_update")
@blueprint.route("/<subject>/lead_opt_out", methods=["PUT", "POST"], endpoint="lead_opt_out")
@blueprint.route("/<subject>/lead_remove", methods=["POST", "PUT"], endpoint="lead_remove")
@blueprint.route(
    "/<subject>/lead_move_to_end_of_schedule", methods=["PUT", "POST"], endpoint="lead_move_to_end_of_schedule"
)
@blueprint.route("/<subject>/caller_opt_out", methods=["PUT", "POST", "GET"], endpoint="caller_opt_out")
@blueprint.route("/<subject>/caller_remove", methods=["POST", "PUT"], endpoint="caller_remove")
@blueprint.route(
    "/<subject>/caller_move_to_end_of_schedule", methods=["PUT", "POST"], endpoint="caller_move_to_end_of_schedule"
)
def submit_lead(subject: str | None = None) -> Response:
    """Creates or updates one lead, or does to the one that the path names what the endpoint says."""
    if subject is not None and request.method == "HEAD":
        raise MethodNotAllowed(["GET", "PUT", "POST"])  # A look must not opt anybody out.
    extensions = current_app.extensions
    runner = extensions["ledger"]
    runner.give_way()
    posting = read_posting(subject)
    taken = take_lead(runner, posting, extensions["limits"])
    g.facts = {"company": taken.company_id, "token": (taken.token or "")[:8], "action": taken.action}
    return send_on(posting, taken) or answer(taken)


def answer(taken: Taken) -> Response:
    """The JSON answer, or the page that the visitor of a native form sees."""
    if taken.refusal is not None:
        return error_answer(taken.refusal, taken.submission_id)
    if is_person() and not (taken.answer or {}).get("dry_run"):
        return page_of(None, 200)
    return json_answer(taken.answer or {}, headers={"Idempotent-Replayed": "true"} if taken.replayed else None)


def send_on(posting: Posting, taken: Taken) -> Response | None:
    """A native form's visitor goes to the page that the form names, if the token's owner allows that page."""
    target = posting.tree.get("redirect_to" if taken.refusal is None else "redirect_error")
    if not redirect_allowed(taken.redirects, target):
        return None
    if taken.refusal is not None:
        g.code = taken.refusal.code
    return Response(status=303, headers=[*for_page(), ("Location", str(target))])


def read_posting(subject: str | None = None, by_key: bool = False, limits: Limits = LIMITS) -> Posting:
    """The request as plain values; what cannot be read is said later, once it is known whom it was meant for.

    `by_key` says that an API key opens the lead which the path names, and no lead token.
    """
    # Each look at `request` asks for the context anew, and there are many.
    environ = request.environ
    query: dict[str, Any] = {}
    body: dict[str, Any] = {}
    notes: list[Note] = []
    problem = None
    signed = b""
    header = environ.get
    signatures = signatures_of(header)
    try:
        query = read_query(environ, notes=notes)
    except Unreadable as error:
        problem = error
    try:
        if signatures:
            body, signed = read_signed(environ, limits, notes)
        else:
            body = read_body(environ, limits, notes)
    except Unreadable as error:
        problem = problem or error
    origin = header("HTTP_ORIGIN")
    key, key_sent = keys.find(header("HTTP_AUTHORIZATION"), body.get("auth_token"))
    return Posting(
        endpoint=(request.endpoint or "").rpartition(".")[2],
        query=query,
        body=body,
        now=clock.now(),
        request_id=g.request_id,
        own_origin=own_origin() if origin else "",
        subject=subject,
        by_key=by_key,
        expected=seen_by_editor(header("HTTP_IF_MATCH"), body) if by_key else None,
        unreadable=problem,
        notes=notes,
        key=key,
        key_sent=key_sent,
        idempotency_header=header("HTTP_IDEMPOTENCY_KEY"),
        origin=on_record(origin),
        referrer=on_record(header("HTTP_REFERER")),
        fetch_site=header("HTTP_SEC_FETCH_SITE"),
        remote_ip=header("REMOTE_ADDR"),
        user_agent=on_record(header("HTTP_USER_AGENT")),
        gpc=header("HTTP_SEC_GPC") == "1",
        size=sent_size(environ, body),
        signatures=signatures,
        signed=signed,
    )


def sent_size(environ: Mapping[str, Any], body: dict[str, Any]) -> int:
    """How many bytes of a body came; of one that came without a length, as many as it takes to write it down."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit() and "HTTP_TRANSFER_ENCODING" not in environ:
        return int(length[:18])
    return len(json.dump(body)) if body else 0


def signatures_of(header: Callable[[str], Any]) -> dict[str, str] | None:
    """The headers that sign the body."""
    typeform, meta = header("HTTP_TYPEFORM_SIGNATURE"), header("HTTP_X_HUB_SIGNATURE_256")
    if not typeform and not meta:
        return None
    return {name: value for name, value in ((TYPEFORM, typeform), (META, meta)) if value}


def seen_by_editor(if_match: str | None, body: dict[str, Any]) -> str | None:
    """The state that an edit rests on: its ETag, or `updated_at` of the body, which is no token then."""
    updated_at = body.pop("updated_at", None)
    etag = (if_match or "").strip().strip('"')
    return etag if etag not in ("", "*") else updated_at


def on_record(header: str | None) -> str | None:
    """A header as it is kept: nobody needs more of it."""
    return header and header[:1000]
