"""Answers: always a JSON object, with CORS headers, whatever the status."""

import traceback
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from server.api.application import HOST, HostNotAllowed
from server.api.cors import ANY_PAGE, headers_for
from server.api.visitor import is_person, page_of
from server.errors import Refused
from server.lib import json
from server.lib.ledger import WriteFailed
from server.lib.logs import log

NOT_KEPT = {"Cache-Control": "no-store"}
# Pairs, for of a dict each value would be looked at whether it is a list.
ALWAYS = tuple((ANY_PAGE | NOT_KEPT).items())
# Seconds to wait where nobody knows better.
RETRY_AFTER = 5
# What may be sent again as it is.
RETRIED = {"rate_limited", "too_slow", "unavailable"}

# The methods that somebody might have meant.
TOLD = {"DELETE", "GET", "POST", "PUT"}

# What a status of the framework's own is called in our answers.
CODE_OF_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
}


class JsonResponse(Response):
    """An answer with a body and its length: its headers are as they are sent, whatever the request was."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """The headers themselves, in place of a copy that is looked through for what a redirect or a 304 needs."""
        return self.headers


def json_answer(
    content: dict[str, Any] | list[Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON answer that no cache keeps."""
    response = JsonResponse(json.dump(content), status, headers, content_type="application/json")
    response.headers.extend(ALWAYS if "HTTP_ORIGIN" not in request.environ else for_page())
    return response


def for_page() -> tuple[tuple[str, str], ...]:
    """The headers of every answer, to a page as well."""
    return tuple((headers_for(request.endpoint, request.environ.get("HTTP_ORIGIN")) | NOT_KEPT).items())


def error_answer(refusal: Refused, submission_id: str | None = None) -> Response:
    """An error as an answer."""
    g.code = refusal.code
    headers = {"Retry-After": str(refusal.retry_after or RETRY_AFTER)} if refusal.code in RETRIED else None
    if is_person():
        page = page_of(refusal, refusal.status)
        page.headers.update(headers or {})
        return page
    return json_answer(error_content(refusal, submission_id), refusal.status, headers)


def error_content(refusal: Refused, submission_id: str | None) -> dict[str, Any]:
    """An error in all the shapes that clients look for: errors, message, detail (RFC 9457), code."""
    return {
        "success": False,
        "status": refusal.status,
        "type": f"{own_origin()}/api/docs/1.0/errors.html#{refusal.code}",
        "title": refusal.title,
        "code": refusal.code,
        "message": refusal.message,
        "error": refusal.message,
        "detail": refusal.detail,
        "errors": refusal.errors,
        "metadata": {"request_id": g.request_id, "submission_id": submission_id},
    }


def own_origin() -> str:
    """Scheme, host and port under which this request reached us; nothing, where its Host is missing or no name."""
    public: str = current_app.config["PUBLIC_URL"]
    host = request.host
    return public or (f"{request.scheme}://{host}" if HOST.fullmatch(host) else "")


def root_of(error: BaseException) -> str:
    """The first cause of an error, by its name: what it says may quote a lead."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "sqlite_errorname", type(error).__name__)


def register(app: Flask) -> None:
    """Turns every way of failing into an answer."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return error_answer(error)

    @app.errorhandler(HostNotAllowed)
    def host_not_allowed(error: HostNotAllowed) -> Response:
        text = "The Host of the request is not ours"
        public = current_app.config["PUBLIC_URL"]
        how = f"Send it to {public}." if public else "Send a host name or an IP address, perhaps with a port."
        return error_answer(Refused("host_not_allowed", text, None, f"{text}. {how}"))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        code = CODE_OF_STATUS.get(status, "malformed_body" if status < 500 else "unexpected")
        allow = error.get_response().headers.get("Allow")
        how = f" Send {' or '.join(sorted(set(allow.split(', ')) & TOLD))}." if allow else ""
        answer = error_answer(Refused(code, error.name, None, f"{error.description}{how}"))
        if allow:
            answer.headers["Allow"] = allow
        return answer

    @app.errorhandler(WriteFailed)
    @app.errorhandler(OperationalError)
    @app.errorhandler(InternalError)  # PostgreSQL's kind for a transaction that may only read.
    @app.errorhandler(PoolTimeout)
    def unavailable(error: Exception) -> Response:
        log.warning("database", request_id=g.request_id, problem=root_of(error))
        text = "The database cannot take this now"
        detail = f"{text}. Send the same request again, with the same Idempotency-Key."
        return error_answer(Refused("unavailable", text, None, detail))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The message of an exception may quote a lead; its type and place do not.
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
        kind = type(error.orig).__name__ if isinstance(error, DBAPIError) else type(error).__name__
        log.error("exception", request_id=g.request_id, kind=kind, frames=frames)
        text = "Something went wrong on our side"
        return error_answer(Refused("unexpected", text, None, f"{text}. Send the same request again."))
