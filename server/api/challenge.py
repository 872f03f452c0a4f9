"""Meta's question before it sends anything: whether this address is meant, and by whom. A lead token answers."""

import re

from flask import Response, current_app, request
from werkzeug.datastructures import MultiDict

from server.foreign.proof import same
from server.lead_tokens.queries import find_grant
from server.leads.limits import check_guesses, count_guess
from server.leads.params import sent_token
from server.lib import clock

# Nothing that a browser could take for anything but a word.
WORD = re.compile(r"[A-Za-z0-9_-]{1,128}")


def echo(sent: MultiDict[str, str]) -> Response | None:
    """The challenge as it came, if who asks knows the token's secret; else the request is any other."""
    if sent.get("hub.mode") != "subscribe":
        return None
    challenge, said = sent.get("hub.challenge", ""), sent.get("hub.verify_token", "")
    value, owner_kind = sent_token(sent)
    grant = find_grant(value, fresh=True)
    if grant is None or owner_kind not in (None, grant.owner_kind) or not grant.takes_leads(clock.now()):
        return None
    if not grant.payload_secret or not WORD.fullmatch(challenge):
        return None
    limits, address = current_app.extensions["limits"], request.remote_addr
    check_guesses(limits, grant, address)
    if not same(said, grant.payload_secret):
        count_guess(limits, grant, address)
        return None
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(challenge, headers=headers, content_type="text/plain")
