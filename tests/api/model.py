"""What the lead endpoints do, told a second time: slowly, in plain Python, from the contract alone.

Everything is a list or a dict, each request looks at all of it, and a request that is refused leaves what was there
(`handle` puts a copy back). Nothing of the product is used. Where the contract leaves a choice, the rule that was
chosen stands in the docstring of the function that makes it.
"""

import copy
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

DOUBLE_CLICK = timedelta(minutes=10)
KEY_IS_KEPT = timedelta(days=7)
RESTORABLE = timedelta(days=30)

TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
FLAGS = (
    "assign_sms_number",
    "assign_trackdrive_number",
    "blocked",
    "delete_existing",
    "expire_existing",
    "opt_out",
    "restart_schedule",
    "unblock_contact",
    "update_all_matching_leads",
    "update_only",
)
INTEGERS = ("expires_in", "hours_to_expire", "max_contact_attempts")
TIMES = ("next_action_at", "schedule_callback_at")
TEXTS = (
    "caller_id",
    "contact_field_type",
    "email",
    "schedule_callback_in_seconds",
    "sub_id",
    "traffic_source_id",
    "vendor_lead_id",
)
FIELDS = (*FLAGS, *INTEGERS, *TIMES, *TEXTS, "lead_priority")
CONTROLS = ("data", "idempotency_key")

# Of the keys inside `data`, these fill the field that is absent at the top level.
FILLED_FROM_DATA = ("caller_id", "email", "sub_id", "traffic_source_id")

# Anyone may reduce contact, so a page may wish these, and for true alone.
REDUCE_CONTACT = ("blocked", "opt_out")
PAGES_MAY_WISH = (
    "assign_sms_number",
    "assign_trackdrive_number",
    "caller_id",
    "contact_field_type",
    "email",
    "schedule_callback_at",
    "schedule_callback_in_seconds",
    "sub_id",
    "traffic_source_id",
    "vendor_lead_id",
)
# A request whose path names the lead means that lead and no other.
MEANT_FOR_POSTS = (
    "delete_existing",
    "expire_existing",
    "update_all_matching_leads",
    "update_only",
    "vendor_lead_id",
)

VERBS = {
    "lead_update": "update",
    "lead_opt_out": "opt_out",
    "lead_remove": "remove",
    "lead_move_to_end_of_schedule": "end",
    "caller_opt_out": "opt_out",
    "caller_remove": "remove",
    "caller_move_to_end_of_schedule": "end",
    "edit": "update",
    "delete": "delete",
    "restore": "restore",
}
BY_KEY = ("edit", "delete", "restore")
SCOPES = {"edit": "leads:update", "delete": "leads:delete", "restore": "leads:delete"}

STATUS_OF = {
    "bad_idempotency_key": 400,
    "scope_missing": 403,
    "not_found": 404,
    "edit_conflict": 409,
    "caller_id_missing": 422,
    "idempotency_key_reused": 422,
    "invalid_caller_id": 422,
    "invalid_parameter": 422,
    "lead_token_invalid": 422,
    "no_matching_lead": 422,
}


# The configuration


@dataclass(frozen=True)
class Pool:
    """One number for the leads whose tokens fit."""

    number: str
    filters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Owner:
    """A schedule of an offer, or (without a schedule) the offer itself."""

    offer: str
    schedule: str | None = None
    first_action_after: timedelta | None = None
    pools: dict[str, list[Pool]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Token:
    """A lead token; None is none that exists."""

    owner: Owner
    public: bool = False
    shows_stored_lead: bool = False
    disabled: bool = False
    default_source: str | None = None


# What is asked


@dataclass(frozen=True)
class Ask:
    """One request. `lead` counts the leads that are there, `number` is what a `caller_*` path says; `scopes` are those
    of the API key that comes along; `stale` is an edit of a state that is no more."""

    endpoint: str = "create"
    token: str = ""
    params: dict[str, Any] = field(default_factory=dict, hash=False)
    lead: int | None = None
    number: str | None = None
    scopes: frozenset[str] | None = None
    stale: bool = False

    @property
    def verb(self) -> str | None:
        """What is done to the one lead that the path names; None for a post."""
        return VERBS.get(self.endpoint)

    @property
    def by_key(self) -> bool:
        """Whether an API key opens the lead, and no token."""
        return self.endpoint in BY_KEY


@dataclass
class Wish:
    """An ask once it is read: what is wished within the sender's powers, and what that leaves out."""

    ask: Ask
    token_name: str
    token: Token
    now: datetime
    public: bool
    fields: dict[str, Any]
    tokens: dict[str, Any]
    undone: list[str]
    idempotency_key: str | None
    content: Any = None

    @property
    def owner(self) -> Owner:
        """Whose leads it is about."""
        return self.token.owner

    @property
    def vendor_lead_id(self) -> str | None:
        """A page's is only recorded."""
        return None if self.public else self.fields.get("vendor_lead_id")

    @property
    def callback_at(self) -> datetime | None:
        """When a callback is wished; a time wins over seconds."""
        seconds = self.fields.get("schedule_callback_in_seconds")
        after = None if seconds is None else self.now + timedelta(seconds=int(seconds))
        return self.fields.get("schedule_callback_at", after)

    @property
    def source(self) -> str | None:
        """Where the request says it came from; the token's default where it says nothing."""
        return self.fields.get("traffic_source_id", self.token.default_source)


class RefusedError(Exception):
    """A request that is turned away; its text is the code."""


# What is stored


@dataclass
class Lead:
    """One lead. `version` grows with each change; `before` is what an undone deletion brings back."""

    owner: Owner
    token_name: str
    number: str = ""
    status: str = ""
    live: bool = True
    email: str | None = None
    contact_field_type: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    sub_id: str | None = None
    priority: float | None = None
    max_attempts: int | None = None
    planned: bool = False
    next_action_at: datetime | None = None
    callback_at: datetime | None = None
    dial_number: str | None = None
    sms_number: str | None = None
    expires_at: datetime | None = None
    deletes_at: datetime | None = None
    deleted_at: datetime | None = None
    before: tuple[str, datetime | None] | None = None
    version: int = 0

    def overdue(self, now: datetime) -> bool:
        """Whether it has run out of time, though nothing has marked it yet."""
        return any(time is not None and time <= now for time in (self.expires_at, self.deletes_at))

    def deleted_since(self, now: datetime) -> datetime | None:
        """Since when it is deleted, by somebody or by its time."""
        due = self.deletes_at if self.deletes_at is not None and self.deletes_at <= now else None
        return self.deleted_at or due

    def gone(self, now: datetime) -> bool:
        """Whether it is deleted, or was to be by now."""
        return self.deleted_since(now) is not None

    def end(self, status: str) -> None:
        """It is over: nothing is planned any more, nobody calls back."""
        self.status, self.live = status, False
        self.next_action_at = self.callback_at = None

    def delete(self, now: datetime) -> None:
        """Deletes it so that it can be brought back."""
        self.before = (self.status, self.next_action_at)
        self.end("removed")
        self.deleted_at = now

    def end_by_time(self, now: datetime) -> None:
        """Marks what time has done."""
        if self.gone(now):
            self.delete(now)
        else:
            self.end("expired")


@dataclass
class Contact:
    """What is known of a number."""

    blocked: bool = False
    opted_out: bool = False

    @property
    def stopped(self) -> str | None:
        """What its live leads are called while nobody may contact it."""
        return "blocked" if self.blocked else "opt_out" if self.opted_out else None


@dataclass
class Submission:
    """One request on record."""

    action: str
    code: str | None = None
    lead: int | None = None
    content: Any = None
    at: datetime | None = None
    version: int | None = None


@dataclass
class Kept:
    """What a key stands for."""

    content: Any
    lead: int
    action: str = ""
    until: datetime | None = None


@dataclass
class Outcome:
    """How a request ended. `lead` is the one that was meant, also where the answer does not say so."""

    status: int = 200
    action: str = "refused"
    code: str | None = None
    lead: int | None = None
    replayed: bool = False
    public: bool = False
    wish: Wish | None = None


@dataclass
class Stored:
    """All that is stored of one company."""

    leads: list[Lead] = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    answers: dict[tuple[str, bool, str], Kept] = field(default_factory=dict)
    vendors: dict[tuple[str, str], Kept] = field(default_factory=dict)


class Model:
    """A company with its tokens and all that it has received."""

    def __init__(self, tokens: dict[str, Token], sources: dict[str, str]) -> None:
        self.tokens = tokens
        # By each text that names a source: the company's own id of it.
        self.sources = sources
        self.stored = Stored()
        self.submissions: list[Submission] = []

    def handle(self, ask: Ask, now: datetime) -> Outcome:
        """One request: everything it does, or nothing but its submission."""
        if ask.by_key and SCOPES[ask.endpoint] not in (ask.scopes or ()):
            return refused("scope_missing")
        token_name = self.opened_by(ask)
        if token_name not in self.tokens:
            return refused("not_found" if ask.by_key else "lead_token_invalid")
        before = copy.deepcopy(self.stored)
        try:
            wish = self.read(ask, token_name, now)
            outcome = self.settle(wish)
        except RefusedError as refusal:
            self.stored = before
            outcome = refused(str(refusal))
            self.submissions.append(Submission("refused", outcome.code))
        return outcome

    def opened_by(self, ask: Ask) -> str:
        """The token whose rules count: for who comes with an API key it is the lead's own."""
        if not ask.by_key:
            return ask.token
        return "" if self.named(ask) is None else self.stored.leads[self.named(ask) or 0].token_name

    def named(self, ask: Ask) -> int | None:
        """The lead that an id names."""
        count = len(self.stored.leads)
        return None if ask.lead is None or count == 0 else ask.lead % count

    # Reading

    def read(self, ask: Ask, token_name: str, now: datetime) -> Wish:
        """What an ask wishes; raises RefusedError."""
        token = self.tokens[token_name]
        public = token.public and not ask.by_key
        if token.disabled and not ask.by_key:
            raise RefusedError("lead_token_invalid")
        if public and ask.verb is not None:
            raise RefusedError("scope_missing")
        fields, tokens = sort_params(ask.params)
        fields = {name: valid(name, value, now) for name, value in fields.items()}
        key = None if ask.by_key else ask.params.get("idempotency_key")
        if key is not None and " " in key:
            raise RefusedError("bad_idempotency_key")
        wish = Wish(ask, token_name, token, now, public, fields, tokens, [], key)
        limit(wish)
        read_number(wish)
        if ask.number is not None and e164(ask.number) is None:
            raise RefusedError("invalid_caller_id")
        if "email" in fields and "@" not in fields["email"]:
            tokens["email_raw"] = fields.pop("email")
        if "traffic_source_id" in fields:
            fields["traffic_source_id"] = self.sources.get(fields["traffic_source_id"], fields["traffic_source_id"])
        wish.content = self.content(wish)
        return wish

    def content(self, wish: Wish) -> Any:
        """What two requests that are the same have in common: all that is said, and the authority to say it.

        What is left undone counts by its name: it has no effect, whatever it says.
        """
        path = (wish.ask.verb, self.named(wish.ask), e164(wish.ask.number or ""))
        return copy.deepcopy((wish.public, sorted(wish.undone), wish.fields, wish.tokens, path))

    # Deciding

    def settle(self, wish: Wish) -> Outcome:
        """Does what is wished, unless its key has been heard before."""
        place = (wish.token_name, wish.public, wish.idempotency_key or "")
        kept = self.stored.answers.get(place)
        if kept is not None and wish.now < (kept.until or wish.now):
            if kept.content != wish.content:
                raise RefusedError("idempotency_key_reused")
            self.on_record(wish, "replayed", kept.lead)
            return Outcome(action=kept.action, lead=kept.lead, replayed=True, public=wish.public, wish=wish)
        action, lead = self.post(wish) if wish.ask.verb is None else self.named_lead(wish)
        if wish.idempotency_key is not None:
            self.stored.answers[place] = Kept(wish.content, lead, action, wish.now + KEY_IS_KEPT)
        if wish.vendor_lead_id is not None:
            self.stored.vendors[wish.token_name, wish.vendor_lead_id] = Kept(wish.content, lead)
        self.on_record(wish, action, lead)
        return Outcome(action=action, lead=lead, public=wish.public, wish=wish)

    def on_record(self, wish: Wish, action: str, lead: int) -> None:
        """Keeps the submission of a request that was taken."""
        version = self.stored.leads[lead].version
        self.submissions.append(Submission(action, None, lead, wish.content, wish.now, version))

    def post(self, wish: Wish) -> tuple[str, int]:
        """Creates or updates one lead: the action and the lead."""
        number = wish.fields["caller_id"]
        found = self.find(wish)
        if found is not None and not self.says_new(wish, number):
            if self.vendor_repeats(wish, found):
                return "replayed", found
            if self.double_click(wish, found):
                return "unchanged", found
        clears = None if self.is_elsewhere(wish, found) else what_it_clears(wish)
        if clears:
            found = None
        if found is None and wish.fields.get("update_only"):
            raise RefusedError("no_matching_lead")
        self.clear(wish, clears, found, self.home(wish, found))
        self.say(wish, number)
        created = found is None
        if found is None:
            found = len(self.stored.leads)
            self.stored.leads.append(Lead(wish.owner, wish.token_name))
        lead = self.stored.leads[found]
        self.write(wish, lead, new=created)
        self.follow(wish, lead, new=created)
        if wish.fields.get("update_all_matching_leads"):
            self.write_others(wish, lead)
        return "created" if created else "updated", found

    def find(self, wish: Wish) -> int | None:
        """The lead that a post means: the live one of its owner and number; else the one that the vendor's own id
        names, be it over; else, where the offer counts, the latest live one elsewhere under it.

        The same content under the same vendor's id always means the lead that it meant.
        """
        number, owner = wish.fields["caller_id"], wish.owner
        kept = self.stored.vendors.get((wish.token_name, wish.vendor_lead_id or ""))
        named = kept.lead if kept is not None and not self.stored.leads[kept.lead].gone(wish.now) else None
        if kept is not None and named is not None and kept.content == wish.content and not self.says_new(wish, number):
            return named
        for found in self.living(wish, number):
            if self.stored.leads[found].owner == owner:
                return found
        if named is not None:
            theirs = self.stored.leads[named].owner
            rivals = [each for each in self.living(wish, number) if self.stored.leads[each].owner == theirs]
            return rivals[0] if rivals else named
        if self.looks_through_offer(wish):
            living = self.living(wish, number)
            return max((each for each in living if self.stored.leads[each].owner.offer == owner.offer), default=None)
        return None

    def is_elsewhere(self, wish: Wish, found: int | None) -> bool:
        """Whether the lead that is meant is one of this number elsewhere under the offer, and there is none here."""
        number, owner = wish.fields["caller_id"], wish.owner
        here = [lead for lead in self.stored.leads if lead.live and (lead.owner, lead.number) == (owner, number)]
        if found is None or here or not self.looks_through_offer(wish):
            return False
        lead = self.stored.leads[found]
        return found in self.living(wish, number) and lead.owner != owner and lead.owner.offer == owner.offer

    def looks_through_offer(self, wish: Wish) -> bool:
        """Whether a live lead elsewhere under the offer may be meant."""
        all_of_offer = wish.owner.schedule is None and wish.fields.get("update_all_matching_leads")
        return bool(all_of_offer) or wish.ask.endpoint == "create_or_update"

    def living(self, wish: Wish, number: str) -> list[int]:
        """The leads of a number that are live and have not run out of time, oldest first."""
        leads = enumerate(self.stored.leads)
        return [index for index, lead in leads if lead.live and lead.number == number and not lead.overdue(wish.now)]

    def vendor_repeats(self, wish: Wish, found: int) -> bool:
        """Whether the vendor's own id came with this content for this lead before."""
        kept = self.stored.vendors.get((wish.token_name, wish.vendor_lead_id or ""))
        return kept is not None and kept.lead == found and kept.content == wish.content

    def double_click(self, wish: Wish, found: int) -> bool:
        """Whether it repeats the latest submission that was taken for this lead, soon, with the lead as it was.

        A replay did nothing, so what came before it counts.
        """
        taken = [each for each in self.submissions if each.lead == found and each.action != "replayed"]
        last = taken[-1]
        same = last.content == wish.content and last.version == self.stored.leads[found].version
        return same and last.at is not None and wish.now - last.at < DOUBLE_CLICK

    def home(self, wish: Wish, found: int | None) -> Owner:
        """Where a lead is written: the vendor's own id may name one of another schedule."""
        kept = self.stored.vendors.get((wish.token_name, wish.vendor_lead_id or ""))
        return wish.owner if found is None or kept is None or kept.lead != found else self.stored.leads[found].owner

    def clear(self, wish: Wish, clears: str | None, found: int | None, home: Owner) -> None:
        """What ends before a lead is written: what the sender wants to be gone, and the live lead of this owner and
        number that has run out of time, unless it is the one that is meant."""
        for index, lead in enumerate(self.stored.leads):
            if (lead.owner, lead.number) != (home, wish.fields["caller_id"]) or lead.deleted_at is not None:
                continue
            if clears == "delete_existing":
                lead.delete(wish.now)
            elif lead.live and index != found and lead.gone(wish.now):
                lead.end_by_time(wish.now)
            elif lead.live and index != found and (clears or lead.overdue(wish.now)):
                lead.end("expired")
            else:
                continue
            lead.version += 1

    def says_new(self, wish: Wish, number: str) -> bool:
        """Whether the request changes the state of its number."""
        before = self.stored.contacts.get(number, Contact())
        return after(before, wish) != before

    def say(self, wish: Wish, number: str) -> None:
        """Blocks or frees the number, or opts it out or in. A new reason to leave it alone stops all its live leads."""
        before = self.stored.contacts.get(number, Contact())
        contact = self.stored.contacts[number] = after(before, wish)
        if (contact.blocked and not before.blocked) or (contact.opted_out and not before.opted_out):
            for lead in self.stored.leads:
                if lead.live and lead.number == number:
                    stop(lead, contact)
                    lead.version += 1

    # Writing

    def write(self, wish: Wish, lead: Lead, new: bool = False) -> None:
        """Writes what was sent: sent fields replace and tokens merge. A page fills in what is blank, and no more."""
        fields = wish.fields
        hours, minutes = fields.get("hours_to_expire"), fields.get("expires_in")
        sent = {
            "email": fields.get("email"),
            "contact_field_type": fields.get("contact_field_type"),
            "priority": fields.get("lead_priority"),
            "max_attempts": fields.get("max_contact_attempts"),
            "expires_at": None if hours is None else wish.now + timedelta(hours=hours),
            "deletes_at": None if minutes is None else wish.now + timedelta(minutes=minutes),
        }
        late = lead.live and lead.overdue(wish.now)
        for name, value in sent.items():
            if value is not None and not (wish.public and getattr(lead, name) is not None):
                setattr(lead, name, value)
        lead.data = wish.tokens | lead.data if wish.public else lead.data | wish.tokens
        lead.number = fields.get("caller_id", lead.number)
        self.attribute(wish, lead)
        lead.version += 1
        if late:
            lead.end("expired")

    def attribute(self, wish: Wish, lead: Lead) -> None:
        """The first touch stays; a person who edits a lead may correct it."""
        sub_id = wish.fields.get("sub_id")
        if lead.source is None and lead.sub_id is None:
            lead.source, lead.sub_id = wish.source, sub_id
        elif wish.ask.endpoint == "edit":
            lead.source = wish.fields.get("traffic_source_id", lead.source)
            lead.sub_id = sub_id or lead.sub_id

    def follow(self, wish: Wish, lead: Lead, new: bool) -> None:
        """What follows for a lead that was written: its next action, its numbers, its callback."""
        contact = self.stored.contacts[lead.number]
        self.plan(wish, lead, contact, new)
        assign(wish, lead)
        if contact.stopped or not lead.live:
            lead.callback_at = None
        elif wish.callback_at is not None and not (wish.public and lead.callback_at is not None):
            lead.callback_at = wish.callback_at

    def plan(self, wish: Wish, lead: Lead, contact: Contact, new: bool) -> None:
        """A new lead begins, one whose number is free again begins anew with a server's request, and so does one
        that is sent back to the start. What is planned moves to the time that was asked for."""
        has_actions = lead.owner.first_action_after is not None
        freed = lead.status in ("blocked", "opt_out") and not wish.public
        if not lead.live:
            return
        if contact.stopped:
            stop(lead, contact)
        elif new or freed or (wish.fields.get("restart_schedule") and has_actions):
            begin(wish, lead)
        elif "next_action_at" in wish.fields and lead.planned:
            lead.next_action_at = wish.fields["next_action_at"]

    def write_others(self, wish: Wish, written: Lead) -> None:
        """Data and fields for the number's other live leads: under the whole offer for an offer's token or endpoint,
        else of the same schedule. What is planned for them stays as it is."""
        everywhere = wish.owner.schedule is None or wish.ask.endpoint == "create_or_update"
        for index in self.living(wish, written.number):
            lead = self.stored.leads[index]
            meant = lead.owner.offer == wish.owner.offer if everywhere else lead.owner == wish.owner
            if lead is written or not meant:
                continue
            self.write(wish, lead)
            if self.stored.contacts[lead.number].stopped:
                stop(lead, self.stored.contacts[lead.number])

    # One lead, by name

    def named_lead(self, wish: Wish) -> tuple[str, int]:
        """Does to the one lead what the path says; the action and the lead."""
        found = self.of_number(wish) if wish.ask.endpoint.startswith("caller_") else self.of_id(wish)
        lead = self.stored.leads[found]
        if wish.ask.stale:
            raise RefusedError("edit_conflict")
        wish.fields.setdefault("caller_id", lead.number)
        changed = getattr(self, f"verb_{wish.ask.verb}")(wish, lead)
        lead.version += changed
        return "updated" if changed else "unchanged", found

    def of_id(self, wish: Wish) -> int:
        """The lead of an id: of the token's schedule, or of the offer and its schedules."""
        found, owner = self.named(wish.ask), wish.owner
        if found is None:
            raise RefusedError("not_found")
        lead = self.stored.leads[found]
        theirs = lead.owner.offer == owner.offer if owner.schedule is None else lead.owner == owner
        # What somebody has deleted can be restored for a while, and is deleted again without effect.
        undoes = wish.ask.verb == "restore" or (wish.ask.verb == "delete" and lead.deleted_at is not None)
        since = lead.deleted_since(wish.now)
        gone = since is not None and (not undoes or wish.now - since > RESTORABLE)
        if (gone and wish.ask.verb != "opt_out") or not theirs:
            raise RefusedError("not_found")
        return found

    def of_number(self, wish: Wish) -> int:
        """The live lead of a number under the token's owner. An opt-out counts also when the latest one is over."""
        opts_out = wish.ask.verb == "opt_out"
        number = e164(wish.ask.number or "")
        theirs = [
            (lead.live, index)
            for index, lead in enumerate(self.stored.leads)
            if (lead.owner, lead.number) == (wish.owner, number) and lead.deleted_at is None
        ]
        live, found = max(theirs, default=(False, 0))
        if not theirs or not (opts_out or (live and not self.stored.leads[found].gone(wish.now))):
            raise RefusedError("no_matching_lead")
        return found

    def verb_update(self, wish: Wish, lead: Lead) -> bool:
        """Writes what was sent, also into a lead that is over. A number that has a live lead here is not taken."""
        number = wish.fields["caller_id"]
        taken = any(each.live and (each.owner, each.number) == (lead.owner, number) for each in self.stored.leads)
        if lead.live and number != lead.number and taken:
            raise RefusedError("invalid_parameter")
        self.say(wish, number)
        self.write(wish, lead)
        self.follow(wish, lead, new=False)
        return True

    def verb_opt_out(self, wish: Wish, lead: Lead) -> bool:
        """Opts the number out: all its leads stop."""
        if self.stored.contacts[lead.number].opted_out:
            return False
        wish.fields["opt_out"] = True
        self.say(wish, lead.number)
        return True

    def verb_remove(self, wish: Wish, lead: Lead) -> bool:
        """No further action, not even that of a schedule's end."""
        changed = lead.status != "removed"
        lead.end("removed")
        return changed

    def verb_end(self, wish: Wish, lead: Lead) -> bool:
        """The lead ends now, as if its schedule had run through."""
        changed = lead.live
        if changed:
            lead.end("completed")
        return changed

    def verb_delete(self, wish: Wish, lead: Lead) -> bool:
        """Deletes the lead, restorably."""
        changed = lead.deleted_at is None
        if changed:
            lead.delete(wish.now)
        return changed

    def verb_restore(self, wish: Wish, lead: Lead) -> bool:
        """The lead is what it was before it was deleted, but for a number that must be left alone by now, and for a
        deletion that its time would repeat at once. Its callback is not booked again."""
        if not lead.gone(wish.now):
            return False
        if lead.deleted_at is None or lead.before is None:
            # Its time had come, and nobody had marked it.
            lead.deletes_at = None
            return True
        status, next_action_at = lead.before
        lives = status in ("scheduled", "waiting", "blocked", "opt_out")
        if lives and any(
            each.live and (each.owner, each.number) == (lead.owner, lead.number) for each in self.stored.leads
        ):
            raise RefusedError("edit_conflict")
        lead.deleted_at, lead.before, lead.status, lead.live = None, None, status, lives
        if lead.deletes_at is not None and lead.deletes_at <= wish.now:
            lead.deletes_at = None
        if lives:
            lead.next_action_at = next_action_at
            if self.stored.contacts[lead.number].stopped:
                stop(lead, self.stored.contacts[lead.number])
        return True


# Rules that need no state


def refused(code: str) -> Outcome:
    """A request that is turned away."""
    return Outcome(STATUS_OF[code], code=code)


def blank(value: Any) -> bool:
    """Whether a value counts as absent."""
    return value is None or (isinstance(value, str) and not value.strip())


def sort_params(params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields and tokens. Of a free key and one in `data` the latter comes later and wins; a field's name in `data`
    fills an absent field, if it is one of four, and is no token in any case."""
    fields = {name: value for name, value in params.items() if name in FIELDS and not blank(value)}
    tokens: dict[str, Any] = {}
    for place in (params, params.get("data", {})):
        for name, value in place.items():
            if blank(value) or name in CONTROLS:
                continue
            if name not in FIELDS:
                tokens[re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")] = value
            elif name in FILLED_FROM_DATA:
                fields.setdefault(name, value)
    return fields, tokens


def valid(name: str, value: Any, now: datetime) -> Any:
    """A value as it is meant; raises RefusedError for one that does not validate."""
    if name in FLAGS:
        if str(value).lower() not in TRUE + FALSE:
            raise RefusedError("invalid_parameter")
        return str(value).lower() in TRUE
    if name in INTEGERS:
        return int(value)
    if name == "lead_priority":
        if not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
            raise RefusedError("invalid_parameter")
        return float(value)
    if name in TIMES:
        time = datetime.fromisoformat(value.replace(" +", "+"))
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return str(value)


def read_number(wish: Wish) -> None:
    """The number in E.164; who names a lead need not say one."""
    sent = wish.fields.get("caller_id")
    if sent is None and wish.ask.verb is not None:
        return
    if sent is None:
        raise RefusedError("caller_id_missing")
    wish.fields["caller_id"] = e164(sent)
    if wish.fields["caller_id"] is None:
        raise RefusedError("invalid_caller_id")


def e164(text: str) -> str | None:
    """A number of the region US."""
    digits = re.sub(r"\D", "", text)[-10:]
    return f"+1{digits}" if len(digits) == 10 else None


def limit(wish: Wish) -> None:
    """Leaves undone what the sender may not wish, or what has no meaning where the path names the lead."""
    lifts = not wish.public and "leads:update" in (wish.ask.scopes or ())
    for name, value in list(wish.fields.items()):
        if value is False and name not in REDUCE_CONTACT:
            continue
        beyond = wish.public and name not in PAGES_MAY_WISH and not (name in REDUCE_CONTACT and value is True)
        lift = name == "unblock_contact" or (name in REDUCE_CONTACT and value is False)
        idle = wish.ask.verb is not None and name in MEANT_FOR_POSTS
        number_of_path = wish.ask.verb is not None and name == "caller_id" and wish.ask.endpoint != "edit"
        if beyond or idle or number_of_path or (lift and not lifts):
            wish.undone.append(name)
            del wish.fields[name]
    if wish.ask.verb not in (None, "update"):
        wish.undone += [*wish.fields, *wish.tokens]
        wish.fields.clear()
        wish.tokens.clear()


def what_it_clears(wish: Wish) -> str | None:
    """Which wish ends leads before a new one is made: deleting goes further than expiring, who may only update takes
    nothing away, and a lead of an offer is in no schedule that it could leave."""
    if wish.fields.get("update_only"):
        return None
    if wish.fields.get("delete_existing"):
        return "delete_existing"
    return "expire_existing" if wish.fields.get("expire_existing") and wish.owner.schedule else None


def after(contact: Contact, wish: Wish) -> Contact:
    """The number's state once the request is done; who blocks and unblocks blocks."""
    blocked, opted_out = wish.fields.get("blocked"), wish.fields.get("opt_out")
    if wish.fields.get("unblock_contact") and not blocked:
        blocked = False
    return replace(
        contact,
        blocked=contact.blocked if blocked is None else blocked,
        opted_out=contact.opted_out if opted_out is None else opted_out,
    )


def stop(lead: Lead, contact: Contact) -> None:
    """Nothing is planned for a lead whose number is to be left alone, nobody calls back; it stays live."""
    lead.status = contact.stopped or lead.status
    lead.next_action_at = lead.callback_at = None


def begin(wish: Wish, lead: Lead) -> None:
    """The beginning: an offer's lead waits for a call, a schedule's for the first action, if there is one."""
    lead.status = "waiting" if lead.owner.schedule is None else "scheduled"
    lead.planned = lead.owner.first_action_after is not None
    if lead.owner.first_action_after is not None:
        lead.next_action_at = wish.fields.get("next_action_at", wish.now + lead.owner.first_action_after)


def assign(wish: Wish, lead: Lead) -> None:
    """The numbers that are wished, of the first pool whose filters fit, else of the last; a lead keeps the one it
    has."""
    seen = lead.data | {"caller_id": lead.number, "email": lead.email, "sub_id": lead.sub_id}
    for flag, kind in (("assign_trackdrive_number", "dial"), ("assign_sms_number", "sms")):
        pools = lead.owner.pools.get(kind, [])
        if not wish.fields.get(flag) or getattr(lead, f"{kind}_number") is not None or not pools:
            continue
        fits = [pool for pool in pools if all(seen.get(name) == text for name, text in pool.filters.items())]
        setattr(lead, f"{kind}_number", [*fits, pools[-1]][0].number)
