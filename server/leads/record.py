"""What one request leaves behind: gathers the arms of its decision and writes them as one."""

from datetime import timedelta
from typing import Any

from server.errors import Refused
from server.lead_tokens import rules
from server.lead_tokens.rules import Grant
from server.leads import rows
from server.leads.decide import Decision, later
from server.leads.params import redacted, redacted_text
from server.leads.plan import Plan
from server.leads.posting import Posting
from server.leads.rows import KeptAnswer, State
from server.lib import json, secrets
from server.lib.ledger import Arm, Ledger

REFUSED_KEPT = timedelta(days=14)
KEY_KEPT = timedelta(days=7)
# Every value of a submission, for those of which a request says nothing.
UNSAID: dict[str, Any] = dict.fromkeys(f"submission_{name}" for name in rows.SUBMISSION_COLUMNS)
# last_used_at is there for people: once a minute is enough and keeps the token's row out of the way.
USED_EVERY = timedelta(minutes=1)


class Record:
    """The arms and values of one request that was taken."""

    def __init__(self, plan: Plan, dialect: str) -> None:
        self.plan = plan
        self.dialect = dialect
        self.arms: list[Arm] = []
        self.new_names: set[str] = set()
        self.values: dict[str, Any] = circumstances(plan.posting, plan.grant) | {
            "submission_id": plan.submission_id,
            "submission_powers": plan.powers,
            "submission_public_lead_id": plan.public_lead_id if plan.public else None,
            "submission_caller_id": plan.phone.e164,
            "submission_vendor_lead_id": plan.asked.fields.get("vendor_lead_id"),
            "submission_idempotency_key": plan.idempotency_key,
            "submission_content_hash": plan.content_hash,
        }

    def lead(self, decision: Decision, state: State) -> None:
        """The contact, the lead, the submission, and what follows from them."""
        lead = decision.lead
        self.values |= {
            "lead_id": lead["id"],
            "submission_lead_id": lead["id"],
            "submission_action": decision.action,
            "submission_lead_updated_at": lead["updated_at"],
            "submission_why": json.dump(self.plan.why + decision.why),
        }
        if decision.writes_lead:
            self.contact(decision)
            self.lead_row(decision)
        self.arms.append(rows.SUBMISSION_INSERT)
        if decision.writes_lead:
            self.touch()
            self.event(decision)
            self.token_names()
        self.token_used()

    def contact(self, decision: Decision) -> None:
        """Makes, changes or at least touches the number's row, and stops its other leads where asked."""
        contact = decision.contact
        self.values |= {
            "caller_id": self.plan.phone.e164,
            "config_version": self.plan.grant.config_version,
            "contact_id": contact.id,
            "contact_version": contact.version,
            "blocked_at": contact.blocked_at,
            "opted_out_at": contact.opted_out_at,
            "stopped_status": "blocked" if contact.blocked_at else "opt_out",
            "ended_id": (decision.ended or decision.lead)["id"],
        }
        if decision.contact_is_new:
            self.arms.append(rows.CONTACT_INSERT)
        else:
            self.arms.append(rows.CONTACT_CHANGE if decision.contact_changed else rows.CONTACT_TOUCH)
        if decision.stops:
            self.arms.append(rows.STOP_OTHERS)

    def lead_row(self, decision: Decision) -> None:
        """Inserts or updates the lead, after ending the one that has run out of time."""
        if decision.ended is not None:
            self.end(decision.ended, decision.deletes)
        if decision.deletes:
            self.arms.append(rows.DELETE_PAST)
        self.values |= rows.lead_values(decision.lead)
        self.values["lead_data"] = json.dump(decision.lead["data"])
        if decision.before is None:
            self.arms.append(rows.LEAD_INSERT)
        else:
            self.values["read_updated_at"] = decision.before["updated_at"]
            self.arms.append(rows.LEAD_UPDATE)

    def end(self, lead: dict[str, Any], deletes: bool) -> None:
        """Ends a lead before its time, or marks what time has done already: it has expired, or was to be deleted."""
        deleted = deletes or (lead["deletes_at"] is not None and lead["deletes_at"] <= self.plan.now)
        self.values |= {
            "ended_updated_at": lead["updated_at"],
            "ended_now": later(lead["updated_at"], self.plan.now),
            "ended_status": "removed" if deleted else "expired",
            "ended_deleted_at": self.plan.now if deleted else None,
        }
        self.arms.append(rows.LEAD_END)

    def touch(self) -> None:
        """Records where this request came from, if it says so."""
        attribution = self.plan.attribution
        if attribution.empty:
            return
        self.values |= {
            "touch_id": secrets.new_id(),
            "touch_source_id": attribution.source_id,
            "touch_source_text": attribution.text,
            "touch_sub_id": attribution.sub_id,
        }
        self.arms.append(rows.TOUCH_INSERT)

    def event(self, decision: Decision) -> None:
        """Leaves word of what happened for those who want to be told."""
        self.values |= {"event_id": secrets.new_id(), "event_kind": f"lead.{decision.action}"}
        self.arms.append(rows.EVENT_INSERT)

    def token_names(self) -> None:
        """Registers the names that this company has not seen yet, as far as this process knows."""
        self.new_names = self.plan.asked.tokens.keys() - self.plan.grant.token_names
        if self.new_names:
            self.values["token_names"] = json.dump(sorted(self.new_names))
            self.arms.append(rows.TOKENS_INSERT[self.dialect])

    def token_used(self) -> None:
        """Notes that the token is in use, and for good if a page has shown it."""
        grant, posting = self.plan.grant, self.plan.posting
        if exposes(posting, grant):
            self.values["exposed_origin"] = exposed_origin(posting)
            self.arms += [rows.TOKEN_EXPOSED, rows.CONFIG_CHANGED]
        elif grant.last_used_at is None or posting.now - grant.last_used_at > USED_EVERY:
            self.arms.append(rows.TOKEN_USED)

    def answer(
        self, decision: Decision, kept: KeptAnswer | None, vendor: KeptAnswer | None, content: dict[str, Any]
    ) -> None:
        """Keeps the answer under the request's key, and the lead under the vendor's own id."""
        plan = self.plan
        self.values["content_hash"] = plan.content_hash
        if plan.idempotency_key is not None:
            self.values |= {
                "answer_id": secrets.new_id(),
                "scope": plan.powers,
                "key": plan.idempotency_key,
                "answer": json.dump(content),
                "answer_expires_at": plan.now + KEY_KEPT,
                "kept_submission_id": kept.submission_id if kept else None,
            }
            self.arms.append(rows.ANSWER_RENEW if kept else rows.ANSWER_INSERT)
        if plan.vendor_lead_id is not None and decision.action != "replayed":
            self.values |= {
                "vendor_answer_id": secrets.new_id(),
                "vendor_scope": "vendor",
                "vendor_key": plan.vendor_lead_id,
                "vendor_submission_id": vendor.submission_id if vendor else None,
            }
            self.arms.append(rows.VENDOR_RENEW if vendor else rows.VENDOR_INSERT)

    def replay(self, kept: KeptAnswer) -> None:
        """A repeated key leaves a submission too, which names the first."""
        step = {"step": "repeat", "decided": "replayed", "rule": "the key came with this content before"}
        self.values |= {
            "submission_lead_id": kept.lead_id,
            "submission_original_id": kept.submission_id,
            "submission_action": "replayed",
            "submission_why": json.dump([*self.plan.why, step | {"record": kept.submission_id}]),
        }
        self.arms.append(rows.SUBMISSION_INSERT)
        self.token_used()

    @property
    def only_inserts(self) -> bool:
        """Whether it touches no row that is there already."""
        return all(arm.inserts for arm in self.arms)

    def write(self, ledger: Ledger) -> None:
        """Writes it all, once; raises Conflict."""
        ledger.write(self.arms, self.values)

    def write_if_new(self, ledger: Ledger) -> bool:
        """Writes it all if the number is new and the configuration as the grant has it; raises Conflict."""
        return ledger.write_if(rows.NEW_NUMBER, self.arms, self.values)

    def remember(self) -> None:
        """What the grant may now know, once it is committed."""
        if self.plan.dry_run:
            return
        self.plan.grant.token_names |= self.new_names
        if rows.TOKEN_USED in self.arms:
            self.plan.grant.last_used_at = self.plan.now


def write_refusal(ledger: Ledger, posting: Posting, grant: Grant, refusal: Refused) -> str:
    """Keeps a refused request with all that came; its id."""
    browser = rules.from_browser(posting.origin, posting.fetch_site, posting.own_origin)
    powers, _ = rules.powers(grant.kind, grant.exposed, browser)
    step = {"step": "refuse", "read": refusal.errors, "decided": refusal.code, "rule": refusal.detail}
    values = circumstances(posting, grant) | {
        "submission_id": secrets.new_id(),
        "submission_powers": powers,
        "submission_action": "refused",
        "submission_code": refusal.code,
        "submission_why": json.dump([step]),
        "submission_purge_at": posting.now + REFUSED_KEPT,
    }
    arms = [rows.SUBMISSION_INSERT]
    if exposes(posting, grant):
        values["exposed_origin"] = exposed_origin(posting)
        arms += [rows.TOKEN_EXPOSED, rows.CONFIG_CHANGED]
    ledger.write(arms, values)
    return str(values["submission_id"])


def exposes(posting: Posting, grant: Grant) -> bool:
    """Whether this request is the first to show that a server's token stands in a page."""
    browser = rules.from_browser(posting.origin, posting.fetch_site, posting.own_origin)
    return browser and grant.kind == "server" and not grant.exposed


def exposed_origin(posting: Posting) -> str:
    """Where a server token was seen in a page."""
    return posting.origin or rules.origin_of(posting.referrer) or "a browser"


def circumstances(posting: Posting, grant: Grant) -> dict[str, Any]:
    """The values that every submission has, taken or refused: what came, from where, when."""
    received: dict[str, Any] = {"query": redacted(posting.query), "body": redacted(posting.body)}
    if posting.unreadable is not None:
        received["unread"] = redacted_text(posting.unreadable.body)
    return UNSAID | {
        "company_id": grant.company_id,
        "token_id": grant.token_id,
        "now": posting.now,
        "submission_endpoint": posting.endpoint,
        "submission_received": json.dump(received),
        "submission_origin": posting.origin,
        "submission_referrer": posting.referrer,
        "submission_remote_ip": posting.remote_ip,
        "submission_user_agent": posting.user_agent,
        "submission_request_id": posting.request_id,
    }
