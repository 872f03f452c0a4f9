"""Create or update: what a plan does to what is stored. Pure; the database then judges whether the reading was true."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.errors import Refused
from server.leads.plan import Plan, Why
from server.leads.rows import COLUMNS, ContactState, State
from server.lib import secrets
from server.schedules.rules import Step, due

# An identical submission within this time is a double click.
DOUBLE_CLICK = timedelta(minutes=10)

DELETE, EXPIRE = "delete_existing", "expire_existing"
RULES = {
    DELETE: "every lead of this owner and number is deleted before a new one is made",
    EXPIRE: "the live lead of this owner and number expires before a new one is made",
}

# Fields of the schema that are columns of the lead under the same name.
SAME_NAME = ("email", "contact_field_type", "lead_priority", "max_contact_attempts")
ATTRIBUTION = ("traffic_source_id", "traffic_source_text", "sub_id")


@dataclass(slots=True)
class Decision:
    """What is to be written: the lead as it will be, and the row beside it."""

    action: str
    lead: dict[str, Any]
    contact: ContactState
    before: dict[str, Any] | None = None
    ended: dict[str, Any] | None = None
    deletes: bool = False
    contact_is_new: bool = False
    contact_changed: bool = False
    stops: bool = False
    why: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    @property
    def matched_by(self) -> str:
        """The rule that found the lead or found none."""
        return next(str(each["rule"]) for each in self.why if each["step"] == "match")

    @property
    def writes_lead(self) -> bool:
        """Whether the lead itself is written."""
        return self.action in ("created", "updated")


def decide(plan: Plan, state: State) -> Decision:
    """What this request does now; raises Refused when it may only update and there is nothing to update."""
    contact, stops, why_contact = decide_contact(plan, state.contact)
    found, ended, why_match = find_lead(plan, state)
    double = double_click(plan, state, found) if found is not None and contact is state.contact else None
    if found is not None and double is not None:
        return Decision(double["decided"], found, contact, found, why=[why_contact, why_match, double])
    clears, why_clear, warnings = clear_existing(plan, state.live)
    if clears:
        found, ended = None, state.live
    if found is None and plan.asked.fields.get("update_only"):
        raise Refused(
            "no_matching_lead",
            "There is no live lead of this number",
            {"caller_id": ["has no live lead"]},
            "update_only was sent and this number has no live lead here. Send it without update_only to make one.",
        )
    if found is None:
        action, lead = "created", new_lead(plan, contact)
    else:
        action, lead = "updated", changed_lead(plan, found, contact)
    planned, more = plan_action(plan, lead, contact, new=found is None)
    return Decision(
        action,
        lead,
        contact,
        warnings=warnings + more,
        before=found,
        ended=ended,
        deletes=clears == DELETE,
        contact_is_new=state.contact is None,
        contact_changed=contact is not state.contact,
        stops=stops,
        why=[why_contact, why_match, *why_clear, planned],
    )


def clear_existing(plan: Plan, live: dict[str, Any] | None) -> tuple[str | None, Why, list[dict[str, str]]]:
    """Whether what is there ends before a new lead is made, and how: deleting goes further than expiring, and who may
    only update takes nothing away."""
    wishes = [name for name in (DELETE, EXPIRE) if plan.asked.fields.get(name)]
    if not wishes:
        return None, [], []
    left: dict[str, str] = {}
    if plan.asked.fields.get("update_only"):
        left = dict.fromkeys(wishes, "update_only was sent, which takes nothing away")
    elif plan.grant.schedule_id is None:
        left = {EXPIRE: "a lead of an offer is in no schedule"}
    if DELETE in wishes and EXPIRE in wishes:
        left.setdefault(EXPIRE, "delete_existing goes further")
    clears = next((name for name in wishes if name not in left), None)
    why = {
        "step": "clear",
        "read": {"wishes": wishes, "live": live["id"] if live else None},
        "decided": clears,
        "rule": RULES[clears] if clears else "nothing is taken away",
        "record": live["id"] if live and clears else None,
    }
    warnings = [
        {"param": name, "code": "no_effect", "message": f"{name} has no effect: {left[name]}."}
        for name in wishes
        if name in left
    ]
    return clears, [why], warnings


def decide_contact(plan: Plan, stored: ContactState | None) -> tuple[ContactState, bool, dict[str, Any]]:
    """The number's state after this request, whether that stops its leads, and why."""
    before = stored or ContactState(secrets.new_id(), 1, None, None)
    fields = plan.asked.fields
    # A request that blocks and unblocks blocks: what stops calls wins.
    wish = False if fields.get("unblock_contact") and not fields.get("blocked") else fields.get("blocked")
    blocked_at = toggled(before.blocked_at, wish, plan.now)
    opted_out_at = toggled(before.opted_out_at, plan.asked.fields.get("opt_out"), plan.now)
    blocks = before.blocked_at is None and blocked_at is not None
    stops = blocks or (before.opted_out_at is None and opted_out_at is not None)
    changed = (blocked_at, opted_out_at) != (before.blocked_at, before.opted_out_at)
    after = ContactState(before.id, before.version, blocked_at, opted_out_at) if changed else before
    if stored is None and not changed:
        decided, rule = "new contact", "the number is new to this company"
    elif changed:
        decided, rule = "changed", "the request set or lifted a block or an opt-out"
    else:
        decided, rule = "kept", "the request says nothing new of the number"
    why = {
        "step": "contact",
        "read": {"blocked": before.blocked_at is not None, "opt_out": before.opted_out_at is not None},
        "decided": decided,
        "rule": rule,
        "record": before.id,
    }
    return after, stops, why


def toggled(stored: datetime | None, wish: bool | None, now: datetime) -> datetime | None:
    """A state that is a time: set once, cleared by false, kept by silence."""
    if wish is None:
        return stored
    return (stored or now) if wish else None


def find_lead(plan: Plan, state: State) -> tuple[dict[str, Any] | None, dict[str, Any] | None, dict[str, Any]]:
    """The lead that is meant, the one that is overdue and must end first, and why; the losers are named too."""
    candidates = [
        {"record": lead["id"], "by": by, "status": lead["status"], "live": lead["is_live"]}
        for lead, by in ((state.vendor_lead, "vendor_lead_id"), (state.live, "number"))
        if lead is not None
    ]
    live, named = state.live, state.vendor_lead
    if named is not None and gone(named, plan.now):
        named = None
    found, ended = live, None
    rule = "the live lead of this owner and number"
    if named is not None and state.vendor is not None and state.vendor.content_hash == plan.content_hash:
        found, rule = named, "the lead that the vendor's own id names, with the content that it has"
    elif live is not None and overdue(live, plan.now) and (named is None or named["id"] != live["id"]):
        found, ended, rule = None, live, "the live lead had run out of time: it ends, and a new one is made"
    elif named is not None and (live is None or overdue(live, plan.now)):
        found, rule = named, "the lead that the vendor's own id names"
    elif live is None:
        rule = "no live lead of this owner and number: a new one is made"
    why = {
        "step": "match",
        "read": {"candidates": candidates},
        "decided": found["id"] if found else "new lead",
        "rule": rule,
        "record": found["id"] if found else None,
    }
    return found, ended, why


def overdue(lead: dict[str, Any], now: datetime) -> bool:
    """Whether the lead has left its schedule or its life by time, though nothing has marked it yet."""
    return any(lead[name] is not None and lead[name] <= now for name in ("expires_at", "deletes_at"))


def gone(lead: dict[str, Any], now: datetime) -> bool:
    """Whether the lead is deleted, or was to be by now."""
    return lead["deleted_at"] is not None or (lead["deletes_at"] is not None and lead["deletes_at"] <= now)


def double_click(plan: Plan, state: State, found: dict[str, Any]) -> dict[str, Any] | None:
    """The reason to do nothing: the same content again, on a lead that has not changed since."""
    vendor = state.vendor
    if vendor is not None and vendor.lead_id == found["id"] and vendor.content_hash == plan.content_hash:
        return {
            "step": "repeat",
            "decided": "replayed",
            "rule": "the vendor's own id came with this content before",
        }
    same = state.latest_hash == plan.content_hash and state.latest_lead_updated_at == found["updated_at"]
    if same and state.latest_at is not None and plan.now - state.latest_at < DOUBLE_CLICK:
        rule = "identical to the latest submission, within ten minutes, and the lead has not changed since"
        return {"step": "repeat", "decided": "unchanged", "rule": rule}
    return None


def new_lead(plan: Plan, contact: ContactState) -> dict[str, Any]:
    """The row of a lead that this request makes."""
    grant, fields, attribution = plan.grant, plan.asked.fields, plan.attribution
    lead: dict[str, Any] = dict.fromkeys(COLUMNS)
    lead.update(
        id=secrets.new_id(),
        company_id=grant.company_id,
        contact_id=contact.id,
        owner_kind=grant.owner_kind,
        owner_id=grant.owner_id,
        offer_id=grant.offer_id,
        schedule_id=grant.schedule_id,
        lead_token_id=grant.token_id,
        caller_id=plan.phone.e164,
        is_live=True,
        test=plan.phone.test,
        contact_attempts=0,
        expires_at=plan.expires_at,
        deletes_at=plan.deletes_at,
        traffic_source_id=attribution.source_id,
        traffic_source_text=attribution.text,
        sub_id=attribution.sub_id,
        data=plan.asked.tokens,
        remote_ip=plan.posting.remote_ip,
        created_at=plan.now,
        updated_at=plan.now,
    )
    lead.update({name: fields.get(name) for name in SAME_NAME})
    return lead


def changed_lead(plan: Plan, stored: dict[str, Any], contact: ContactState) -> dict[str, Any]:
    """The stored lead with what was sent: replaced and merged, or, with publishable powers, only filled in."""
    lead = dict(stored)
    sent = {name: plan.asked.fields[name] for name in SAME_NAME if name in plan.asked.fields}
    sent |= {name: at for name in ("expires_at", "deletes_at") if (at := getattr(plan, name)) is not None}
    if plan.public:
        lead.update({name: value for name, value in sent.items() if lead[name] is None})
        lead["data"] = plan.asked.tokens | stored["data"]
    else:
        lead.update(sent)
        lead["data"] = stored["data"] | plan.asked.tokens
        lead.update(caller_id=plan.phone.e164, contact_id=contact.id, test=plan.phone.test)
    if stored["traffic_source_text"] is None and stored["sub_id"] is None:
        attribution = plan.attribution
        lead.update(
            traffic_source_id=attribution.source_id,
            traffic_source_text=attribution.text,
            sub_id=attribution.sub_id,
        )
    lead["updated_at"] = later(stored["updated_at"], plan.now)
    if stored["is_live"] and overdue(stored, plan.now):
        lead.update(is_live=False, status="expired", ended_at=plan.now, next_action_at=None)
    return lead


def later(stored: datetime, now: datetime) -> datetime:
    """The next `updated_at`: now, and never the same twice."""
    return max(now, stored + timedelta(milliseconds=1))


def plan_action(
    plan: Plan, lead: dict[str, Any], contact: ContactState, new: bool
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Plans the lead's next action, or stops it; why, and what to tell the sender."""
    step = plan.grant.first_step if plan.grant.schedule_id is not None else None
    asked_at = plan.asked.fields.get("next_action_at")
    restarts = bool(plan.asked.fields.get("restart_schedule"))
    stopped = contact.blocked_at is not None or contact.opted_out_at is not None
    # A lead whose number was free again by itself waits for somebody who may do more than add.
    resumes = lead["status"] in ("blocked", "opt_out") and not plan.public
    if stopped:
        rule = "the number is blocked or opted out: nothing is planned"
        if lead["is_live"]:
            lead.update(status="blocked" if contact.blocked_at else "opt_out", next_action_at=None)
    elif lead["is_live"] and (new or resumes or (restarts and step is not None)):
        rule = enter(lead, step, asked_at, plan.now)
    elif asked_at is not None and lead["is_live"] and lead["next_action_id"] is not None:
        lead["next_action_at"] = asked_at
        rule = "moved to next_action_at"
    else:
        rule = "kept as it was planned"
    why = {
        "step": "plan",
        "read": {
            "first_action": step.id if step else None,
            "next_action_at": asked_at,
            "restart_schedule": restarts,
        },
        "decided": lead["next_action_at"],
        "rule": rule,
        "record": lead["next_action_id"],
    }
    idle = []
    if restarts and (stopped or step is None or not lead["is_live"]):
        idle.append("restart_schedule")
    if asked_at is not None and lead["next_action_at"] != asked_at:
        idle.append("next_action_at")
    text = f"has no effect: {rule}."
    return why, [{"param": name, "code": "no_effect", "message": f"{name} {text}"} for name in idle]


def enter(lead: dict[str, Any], step: Step | None, asked_at: datetime | None, now: datetime) -> str:
    """Puts a lead at the beginning of its owner; the rule that said so."""
    if lead["schedule_id"] is None:
        lead.update(status="waiting")
        return "parked for the next call"
    lead.update(status="scheduled", next_action_id=None, next_action_at=None)
    if step is None:
        return "the schedule has no action"
    lead.update(next_action_id=step.id, next_action_at=asked_at or due(step, now))
    return "the schedule's first action" if asked_at is None else "the schedule's first action, at next_action_at"
