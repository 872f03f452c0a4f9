"""What is noted of a token in passing: the pages that use it, and their texts that nobody has reviewed.

Strangers can name as many as they like, so each list has a bound, and the least used goes. A text that goes is retired:
consent records point at it, so it is kept, with its uses, but neither listed nor known any more.
"""

from typing import Any

from server.consent.texts import MOST_UNREVIEWED
from server.lead_tokens.origins import MOST_ORIGINS, seen_origin
from server.leads.plan import Plan
from server.lib.ledger import Arm
from server.lib.uses import is_due, note, pause

# What has no place is removed before the new one comes. Those who post at the same moment may find the same; whoever
# comes after them removes what is too much.
ORIGINS_FORGET = Arm(
    "delete from origin_seen where id in (select id from origin_seen where lead_token_id = :token_id"
    " and origin <> :seen_origin order by uses desc, last_seen_at desc, id desc"
    f" limit 1000 offset {MOST_ORIGINS - 1})",
    optional=True,
)
# Other processes count too: only what none of them has noted lately is.
ORIGIN_USED = Arm(
    "insert into origin_seen (company_id, lead_token_id, origin, uses, first_seen_at, last_seen_at)"
    " values (:company_id, :token_id, :seen_origin, 1, :now, :now)"
    " on conflict (lead_token_id, origin) do update set uses = origin_seen.uses + 1,"
    " last_seen_at = excluded.last_seen_at where origin_seen.last_seen_at <= :origin_before",
    optional=True,
)
UNREVIEWED = "disclosure_version.reviewed_at is null"
TEXTS_RETIRE = Arm(
    "update disclosure_version set retired_at = :now where id in (select id from disclosure_version"
    f" where company_id = :company_id and disclosure_id = :disclosure_id and {UNREVIEWED} and retired_at is null"
    " and content_hash <> :used_hash order by uses desc, last_used_at desc, id desc"
    f" limit 1000 offset {MOST_UNREVIEWED - 1})",
    optional=True,
)
USED = "uses = disclosure_version.uses + 1, retired_at = null"
NOT_LATELY = "(disclosure_version.retired_at is not null or disclosure_version.last_used_at <= :text_before)"
# What was retired comes back with its uses.
TEXT_LEARN = Arm(
    "insert into disclosure_version (company_id, disclosure_id, language, text, label, content_hash, is_current, uses,"
    " last_used_at, created_at, updated_at) values (:company_id, :disclosure_id, :learned_language, :learned_text, '',"
    " :used_hash, false, 1, :now, :now, :now)"
    f" on conflict (company_id, content_hash) do update set {USED}, last_used_at = excluded.last_used_at"
    f" where disclosure_version.disclosure_id = excluded.disclosure_id and {UNREVIEWED} and {NOT_LATELY}",
    optional=True,
)
TEXT_USED = Arm(
    f"update disclosure_version set {USED}, last_used_at = :now"
    f" where company_id = :company_id and content_hash = :used_hash and {UNREVIEWED} and {NOT_LATELY}",
    optional=True,
)


def note_origin(plan: Plan, values: dict[str, Any]) -> list[Arm]:
    """Notes the page that sends a lead, where that is due."""
    posting, known = plan.posting, plan.grant.seen_origins
    if not plan.public:
        return []
    origin = posting.origin if posting.origin in known else seen_origin(posting.origin, posting.referrer)
    use = known.get(origin or "")
    if origin is None or not is_due(use, plan.now):
        return []
    values |= {"seen_origin": origin, "origin_before": plan.now - pause(use)}
    return [ORIGIN_USED] if use else [ORIGINS_FORGET, ORIGIN_USED]


def note_text(plan: Plan, values: dict[str, Any]) -> list[Arm]:
    """Notes that a text was used which nobody has reviewed; one that is new becomes a version."""
    learned, version, texts = plan.consent.learned, plan.consent.version, plan.grant.texts
    if learned is None and (version is None or version.reviewed):
        return []
    use = texts.uses.get(plan.consent.content_hash or "")
    if not is_due(use, plan.now):
        return []
    values |= {
        "disclosure_id": texts.disclosure_id,
        "used_hash": plan.consent.content_hash,
        "text_before": plan.now - pause(use),
    }
    if learned is None:
        return [TEXT_USED]
    values |= {"learned_language": learned.content["language"], "learned_text": learned.content["text"]}
    return [TEXTS_RETIRE, TEXT_LEARN]


def remember_noted(plan: Plan, values: dict[str, Any]) -> None:
    """What the grant may now know, once it is committed."""
    if "seen_origin" in values:
        note(plan.grant.seen_origins, values["seen_origin"], plan.now, MOST_ORIGINS)
    if "used_hash" in values:
        learned = plan.consent.learned
        plan.grant.texts.note(values["used_hash"], learned.text_hash if learned else None, plan.now)
