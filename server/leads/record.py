"""What one request leaves behind: gathers the arms of its decision and writes them as one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from server.lead_tokens.rules import Grant
from server.leads import rows, state
from server.leads.change import later
from server.leads.circumstances import circumstances, empty_for_room, exposed_origin, exposes, kept_for
from server.leads.consent import record_of
from server.leads.decide import Decision
from server.leads.noted import note_origin, note_text, remember_noted
from server.leads.plan import Plan
from server.leads.state import KeptAnswer
from server.lib import json, secrets
from server.lib.ledger import Arm, Ledger
from server.periods import KEY_KEPT

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

    def lead(self, decision: Decision) -> None:
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
        self.submission()
        self.consent(lead["id"])
        if decision.writes_lead:
            self.touch()
            self.callback(decision)
            self.calls(decision)
            self.events(decision)
            self.token_names()
        self.token_used()
        self.arms += note_origin(self.plan, self.values)

    def submission(self) -> None:
        """The submission of this request; one that is released is there, as are those that repeated it."""
        if not self.plan.posting.releases:
            self.arms.append(rows.SUBMISSION_INSERT.arm(self.values))
            return
        self.arms.append(rows.SUBMISSION_RELEASE)
        if self.plan.idempotency_key is not None:
            self.values["came_at"] = self.plan.posting.original.created_at if self.plan.posting.original else None
            self.arms.append(rows.REPEATS_RELEASE)

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
            "stopped_status": contact.stopped_status,
            "ended_id": (decision.ended or decision.lead)["id"],
        }
        if decision.contact_is_new:
            self.arms.append(rows.CONTACT_INSERT.arm(self.values))
        else:
            self.arms.append(rows.CONTACT_CHANGE if decision.contact_changed else rows.CONTACT_TOUCH)
        if decision.stops:
            self.arms.append(rows.stop_others(len(decision.others)))

    def lead_row(self, decision: Decision) -> None:
        """Inserts or updates the lead, after ending the one that has run out of time."""
        if decision.ended is not None:
            self.end(decision.ended, decision.deletes)
        if decision.deletes:
            self.arms.append(rows.DELETE_PAST)
        if decision.before is None:
            self.named_values("lead", decision.lead)
            self.arms.append(rows.LEAD_INSERT.arm(self.values))
        else:
            self.update("lead", decision.before, decision.lead)
        for index, (before, after) in enumerate(decision.others):
            self.update(rows.other(index), before, after)

    def update(self, prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Updates a lead, if it is as it was read."""
        self.named_values(prefix, after)
        self.values[f"{prefix}_read_at"] = before["updated_at"]
        self.arms.append(rows.lead_update(prefix))

    def named_values(self, prefix: str, lead: Mapping[str, Any]) -> None:
        """The values of a lead."""
        self.values |= rows.lead_values(prefix, lead)
        self.values[f"{prefix}_data"] = json.dump(lead["data"])

    def end(self, lead: dict[str, Any], deletes: bool) -> None:
        """Ends a lead before its time, or marks what time has done already: it has expired, or was to be deleted."""
        deleted = deletes or (lead["deletes_at"] is not None and lead["deletes_at"] <= self.plan.now)
        self.values |= {
            "ended_updated_at": lead["updated_at"],
            "ended_now": later(lead["updated_at"], self.plan.now),
            "ended_status": "removed" if deleted else "expired",
            "ended_deleted_at": self.plan.now if deleted else None,
            "ended_status_before": lead["status"] if deleted else None,
            "ended_next_before": lead["next_action_at"] if deleted else None,
        }
        self.arms.append(rows.LEAD_END)
        self.cancel("ended", lead["scheduled_callback_id"])

    def cancel(self, prefix: str, callback_id: str | None) -> None:
        """Cancels the callback of a lead that ends or is stopped, if it has one."""
        if callback_id is not None:
            self.values[f"{prefix}_callback_id"] = callback_id
            self.arms.append(rows.callback_cancel(prefix))

    def callback(self, decision: Decision) -> None:
        """Books or moves the lead's callback, which has the lead's number; of a number that stops all are cancelled."""
        booking, held = decision.callback.booking, decision.lead["scheduled_callback_id"]
        if booking is not None:
            self.values |= {"callback_id": booking.id, "callback_at": booking.at}
            self.arms.append(rows.CALLBACK_MOVE if booking.moves else rows.CALLBACK_INSERT)
        elif held is not None and decision.before and decision.before["caller_id"] != decision.lead["caller_id"]:
            self.values["held_callback_id"] = held
            self.arms.append(rows.CALLBACK_FOLLOW)
        if decision.stops:
            self.arms.append(rows.CALLBACKS_STOP)
        self.cancel("lead", decision.callback.cancelled_id)

    def calls(self, decision: Decision) -> None:
        """Writes the tokens to the number's calls as well."""
        if decision.writes_calls:
            self.values |= {
                "tokens": json.dump(self.plan.asked.tokens),
                "calls_offer_id": decision.lead["offer_id"],
                "calls_schedule_id": decision.lead["schedule_id"],
            }
            self.arms.append(rows.CALLS_UPDATE[self.dialect])

    def consent(self, lead_id: str | None) -> None:
        """Keeps what the request shows of consent, and of a page's own text."""
        plan = self.plan
        consent = plan.consent
        subject = {"submission_id": plan.submission_id, "lead_id": lead_id, "caller_id": plan.phone.e164}
        self.values |= {
            "consent_evidence": consent.evidence,
            "consent_granted": consent.granted,
            "consent_content_hash": consent.content_hash,
            "consent_record": record_of(consent, plan.posting, plan.grant, subject),
        }
        self.arms.append(rows.CONSENT_INSERT.arm(self.values))
        self.arms += note_text(plan, self.values)

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

    def events(self, decision: Decision) -> None:
        """Leaves word of what happened, lead by lead, for those who want to be told and for the schedule's end."""
        self.event("lead", decision.event)
        if decision.ended is not None:
            self.event("ended", "lead.deleted" if self.values["ended_deleted_at"] else "lead.ended")
        for index in range(len(decision.others)):
            self.event(rows.other(index), "lead.updated")

    def event(self, prefix: str, kind: str) -> None:
        """Leaves word of what happened to one lead."""
        self.values |= {f"{prefix}_event_id": secrets.new_id(), f"{prefix}_event": kind}
        self.arms.append(rows.event_insert(prefix))

    def token_names(self) -> None:
        """Registers the names that this company has not seen yet, as far as this process knows."""
        self.new_names = self.plan.asked.tokens.keys() - self.plan.grant.token_names
        if self.new_names:
            self.values["token_names"] = json.dump(sorted(self.new_names))
            self.values["most_token_names"] = self.plan.grant.names_of(self.plan.powers)
            self.arms.append(rows.TOKENS_INSERT[self.dialect])

    def token_used(self) -> None:
        """Notes that the token is in use, and for good if a page has shown it."""
        grant, posting = self.plan.grant, self.plan.posting
        if posting.by_key or posting.original is not None:
            return
        if exposes(posting, grant):
            self.values["exposed_origin"] = exposed_origin(posting.origin, posting.referrer)
            self.arms += [rows.TOKEN_EXPOSED, rows.CONFIG_CHANGED]
        elif use_is_due(grant, posting.now):
            self.arms.append(rows.TOKEN_USED)

    def answer(
        self, decision: Decision, kept: KeptAnswer | None, vendor: KeptAnswer | None, content: dict[str, Any]
    ) -> None:
        """Keeps the answer under the request's key, and the lead under the vendor's own id."""
        plan = self.plan
        self.values["content_hash"] = plan.content_hash
        # Of a key that has an answer of its own since, what is released leaves that alone.
        if plan.idempotency_key is not None and (kept is not None or not plan.posting.releases):
            self.values |= kept_values(plan, kept, content)
            self.arms.append(rows.ANSWER_RENEW if kept else rows.ANSWER_INSERT)
        if plan.vendor_lead_id is not None and decision.action != "replayed":
            self.values |= {
                "vendor_answer_id": secrets.new_id(),
                "vendor_scope": "vendor",
                "vendor_key": plan.vendor_lead_id,
                "vendor_submission_id": vendor.submission_id if vendor else None,
            }
            self.arms.append(rows.VENDOR_RENEW if vendor else rows.VENDOR_INSERT)

    def replay(self, kept: KeptAnswer, code: str | None) -> None:
        """A repeated key leaves a submission too, which names the first; one that was refused in secret is again."""
        step = {"step": "repeat", "decided": "replayed", "rule": "the key came with this content before"}
        if code is not None:
            self.values |= {"submission_code": code, "submission_purge_at": self.plan.now + kept_for(code)}
            empty_for_room(self.values, self.plan)
        self.values |= {
            "submission_lead_id": kept.lead_id,
            "submission_original_id": kept.submission_id,
            "submission_action": "replayed" if code is None else "refused",
            "submission_why": json.dump([*self.plan.why, step | {"record": kept.submission_id}]),
        }
        self.arms.append(rows.SUBMISSION_INSERT.arm(self.values))
        if code is None:
            self.consent(kept.lead_id)
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
        return ledger.write_if(state.NEW_NUMBER, self.arms, self.values)

    def remember(self) -> None:
        """What the grant may now know, once it is committed."""
        if self.plan.dry_run:
            return
        self.plan.grant.token_names |= self.new_names
        remember_noted(self.plan, self.values)
        if rows.TOKEN_USED in self.arms:
            self.plan.grant.last_used_at = self.plan.now


def use_is_due(grant: Grant, now: datetime) -> bool:
    """Whether it is to be noted that the token is in use."""
    return grant.last_used_at is None or now - grant.last_used_at > USED_EVERY


def kept_values(plan: Plan, kept: KeptAnswer | None, content: dict[str, Any]) -> dict[str, Any]:
    """The values that keep an answer under the request's key. Where what was answered is taken once more, its sender
    goes on hearing what it has heard."""
    original = plan.posting.original
    heard = kept is not None and original is not None and kept.submission_id == original.submission_id
    return {
        "answer_id": secrets.new_id(),
        "scope": plan.powers,
        "key": plan.idempotency_key,
        "answer": kept.answer if kept is not None and heard else json.dump(content),
        "answer_expires_at": plan.now + KEY_KEPT,
        "kept_submission_id": kept.submission_id if kept else None,
    }
