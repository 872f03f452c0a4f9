"""What a request lacks that its token asks of it: a payload's proof, an origin on the list. Pure.

Who has it taken once more is shown what it lacked, and has to say that it is to be taken all the same.
"""

from collections.abc import Mapping
from typing import Any

from server.errors import Refused
from server.foreign.proof import holds, proofs_of
from server.lead_tokens import rules
from server.lead_tokens.rules import Grant
from server.leads.posting import Posting

Why = list[dict[str, Any]]

# What is said of each lack, and the code with which it was refused.
LACKS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("proof", "missing"): ("a proof of where its payload comes from", "key_required"),
    ("proof", "wrong"): ("a proof that fits the token's payload_secret", "key_invalid"),
    ("origin", "not allowed"): ("an origin on the token's list", "origin_not_allowed"),
}


def find_lacks(posting: Posting, grant: Grant) -> dict[str, str]:
    """What is missing or wrong. What is taken once more lacks what it lacked when it came, and what its token asks for
    today; but an origin that its token allows today is no lack."""
    original = posting.original
    lacks = dict(original.lacked) if original is not None else {}
    if grant.payload_secret is not None and not (original is not None and original.proven):
        lacks.setdefault("proof", proof_problem(posting, grant.payload_secret))
    if grant.kind == "publishable":
        allowed = rules.origin_allowed(grant.allowed_origins, posting.origin, posting.referrer)
        lacks["origin"] = "" if allowed else "not allowed"
    return {name: problem for name, problem in lacks.items() if problem}


def proof_problem(posting: Posting, secret: str) -> str:
    """What is the matter with a payload's proof; empty if it holds."""
    proofs = proofs_of(posting.signatures or {}, posting.body)
    if not proofs:
        return "missing"
    good = bool(secret) and any(holds(name, proof, posting.signed, secret) for name, proof in proofs.items())
    return "" if good else "wrong"


def evidence_of(posting: Posting, grant: Grant) -> dict[str, Any]:
    """What a submission keeps of all this, so that whoever has it taken once more is told."""
    original = posting.original
    lacks = original.lacked if original is not None else find_lacks(posting, grant)
    proven = original.proven if original is not None else grant.payload_secret is not None and "proof" not in lacks
    return ({"lacks": dict(lacks)} if lacks else {}) | ({"proven": True} if proven else {})


def judge_replay(posting: Posting, grant: Grant) -> Why:
    """The step that says who takes a submission without what it lacks; raises Refused where nobody has said so."""
    original = posting.original
    lacks = find_lacks(posting, grant)
    if original is None or not lacks:
        return []
    if not original.accepts_unproven and not original.dry_run:
        raise not_accepted(lacks)
    step = {"step": "proof", "read": {"lacks": lacks, "accept_unproven": original.accepts_unproven}}
    if original.accepts_unproven:
        return [step | {"decided": "accepted", "rule": "who replays it takes it without what it lacks"}]
    return [step | {"decided": "shown", "rule": "only a dry run shows this without accept_unproven"}]


def say_lacks(lacks: Mapping[str, str]) -> str:
    """What is lacking, as a sentence says it."""
    return " and ".join(LACKS[each][0] for each in lacks.items())


def not_accepted(lacks: Mapping[str, str]) -> Refused:
    """The refusal of a replay that would give a submission what it never had."""
    text = f"The submission lacks {say_lacks(lacks)}"
    detail = f"{text}. If you know that it is genuine, send accept_unproven=true; a dry run shows what it would do."
    code = next(LACKS[each][1] for each in lacks.items())
    return Refused(code, text, {"accept_unproven": [f"must be true: the submission lacks {say_lacks(lacks)}"]}, detail)
