"""What each member of an answer means, said once for every answer that has it; parameters say it in their schemas."""

from collections.abc import Mapping

from server.docs.fields import Json
from server.periods import DOUBLE_CLICK, spoken

# By name, or by the name of what holds it and its own.
WORDS: Mapping[str, str] = {
    # Every answer about a lead
    "success": "Whether the lead was taken.",
    "status": "The HTTP status, repeated.",
    "errors": "Empty when all is well; otherwise what is wrong with each parameter.",
    "warnings": "What was left undone or read differently; the lead was taken nevertheless.",
    "warning.param": "The parameter that it is about.",
    "warning.code": "What kind of warning it is; it never changes.",
    "warning.message": "The warning as a sentence.",
    "action": "What was done: `created`, `updated`, `unchanged` (a double click), `replayed` (the same vendor_lead_id),"
    " or `received`, which is all that a publishable token is told.",
    "lead_id": "The id of the lead. A publishable token gets another id, made for this answer.",
    "metadata": "About the answer itself.",
    "metadata.root": "The name of the member that holds what was asked for.",
    "metadata.request_id": "The id of this request in our logs; also in the header `X-Request-Id`.",
    "metadata.submission_id": "The record of this request: all that came, what was done, and why.",
    "metadata.idempotent_replayed": "Whether this repeats the answer that the key got before.",
    "dedupe": "Only by `capture`: what was done, and by which rule.",
    "dedupe.action": "What was done; the same as `action`.",
    "dedupe.matched_lead_id": "The lead that was there already.",
    "dedupe.rule": "By which rule it was found; `null` where the token does not show stored leads.",
    "why": "Each step with what it read, what it decided and by which rule.",
    "dry_run": "`true` for a dry run: nothing was kept.",
    "messages": "Only in a dry run: the first messages and webhook bodies, filled in.",
    "message.action_id": "The action of the schedule that would send it.",
    "message.position": "Its place in the schedule.",
    "message.kind": "The kind of the action.",
    "message.content": "The texts, filled in.",
    "matched": "What `auto_format_nested_fields` read from where.",
    "matched.field": "The parameter that was filled.",
    "matched.from": "Where in the payload it stood.",
    "matched.by": "How it was recognised.",
    "matched.payload": "The system whose payload it is.",
    "matched.rule": "Why this one was taken; only where it was guessed.",
    "matched.passed_over": "What else might have been taken.",
    "passed_over.from": "Where in the payload it stood.",
    "passed_over.reason": "Why it was not taken.",
    # A lead
    "lead": "The lead: as it is stored where the token shows that, else as this request sent it, with `null` for what"
    " it did not say.",
    "leads": "The leads of this page, newest first.",
    "lead.id": "Its id.",
    "lead.caller_id": "Its phone number in E.164.",
    "lead.email": "Its e-mail address.",
    "lead.offer_id": "The offer that it belongs to; for a schedule's lead, the schedule's offer.",
    "lead.schedule_id": "The schedule that it goes through.",
    "lead.traffic_source_id": "Its traffic source, by the id that you gave it; an unknown one as it was sent.",
    "lead.sub_id": "The sub-publisher, affiliate or creative within the source.",
    "lead.contact_field_type": "Its contact field type, by its key.",
    "lead.status": "Where it stands: `scheduled`; `waiting` for the next call; `held` until you have looked at its"
    " consent; `blocked` or `opt_out`, so that nothing is planned; or how it ended: `completed`, `expired`,"
    " `removed`.",
    "lead.is_live": "Whether it is live: not ended, expired, removed or deleted.",
    "lead.test": "Whether it is a test lead, such as one with a 555-01XX number: it is never contacted.",
    "lead.lead_priority": "Its place among the leads that wait: lower is first.",
    "lead.contact_attempts": "How many outbound calls and SMS there have been.",
    "lead.max_contact_attempts": "After how many it leaves the schedule.",
    "lead.next_action_at": "When its next action runs.",
    "lead.scheduled_callback_at": "When it is called back, as it was booked.",
    "lead.expires_at": "When it leaves its schedule.",
    "lead.deletes_at": "When it is deleted.",
    "lead.blocked": "Whether its number is blocked.",
    "lead.opt_out": "Whether its number has opted out.",
    "lead.trackdrive_number_plain": "The number that was assigned from the schedule's pool.",
    "lead.sms_number_plain": "The SMS number that was assigned from the schedule's pool.",
    "lead.data": "Its lead tokens.",
    "lead.created_at": "When it came.",
    "lead.updated_at": "When it last changed.",
    "lead.deleted_at": "When it was deleted; only a deleted one has it.",
    "lead.consent": "The best consent that it has, read from its submissions; only where a lead is read back.",
    "consent.claim": "The best that pages have said since of a lead that they did not make: it counts for nothing"
    " above. Null where they have said nothing.",
    "consent": "The consent record, which each submission that was taken has; only where one submission is shown.",
    "consent.evidence": "How well it is evidenced, computed and never taken from input: `witnessed` by our script, by"
    " which is shown that it was fetched lately for this disclosure, and not that a person saw it; `third_party`, by a"
    " certificate of TrustedForm or Jornaya; `asserted` by the sender; `imported`; or `none`.",
    "consent.granted": "Whether the visitor agreed; null where nobody says.",
    "consent.granted_at": "When the visitor agreed, as the sender says.",
    "consent.received_at": "When it came to us.",
    "consent.disclosure": "The version of a disclosure that was read, by its `content_hash`.",
    "consent.text_is": "How the text compares with the versions that the token knows: the `same` as a reviewed one,"
    " `unreviewed` where it was learned from a page, it `differs`, or is `unknown`; null where none was sent.",
    "consent.gpc": "Whether the visitor's browser asks not to be sold or shared (Global Privacy Control).",
    "consent.submission_id": "The submission that brought it.",
    "consent.version": "The version of the record's shape.",
    "consent.company_id": "The company.",
    "consent.lead_token_id": "The lead token that the submission came with.",
    "consent.lead_id": "The lead; null where a repeated answer hid a refusal.",
    "consent.caller_id": "The number that it is about.",
    "consent.said_in": "The parameter that said it: `consent`, or HubSpot's `legalConsentOptions`.",
    "consent.disclosure_claimed": "The version that the sender named.",
    "consent.text": "The text as it was sent, unless a version holds it.",
    "consent.text_hash": "SHA-256 of the text, with single blanks for white space.",
    "consent.language": "The language of the text, as the sender says.",
    "consent.default": "How the box stood before the visitor touched it: `unticked` or `ticked`.",
    "consent.shown_at": "When the text was shown, as the sender says.",
    "consent.page_url": "The page that showed it, as the sender says.",
    "consent.origin": "The site that sent it, as the browser says.",
    "consent.referrer": "The page that sent it, as the browser says.",
    "consent.remote_ip": "The IP address that it came from.",
    "consent.user_agent": "The `User-Agent` of the program that sent it.",
    "consent.stamp": "What the hosted script was fetched with.",
    "consent.attached": "Certificates of others that came as tokens.",
    "stamp.freshness": "`fresh` for a day; then `stale`; `forged` also where it is of another token or disclosure.",
    "stamp.fetched_at": "When the script was fetched, to ten minutes.",
    "attached.kind": "`trustedform` or `leadid`.",
    "attached.token": "The token that brought it.",
    "attached.value": "The certificate's address, or the LeadiD.",
    # A batch
    "results": "One answer for each lead, in the order in which they were sent.",
    "counts": "How many there were, by what became of them.",
    "not_kept": "Requests that were refused beyond what is kept of strangers in an hour: nothing else is left of them.",
    "count.hour_at": "The hour, by the time at which it begins.",
    "act": "What was to be done.",
    "counts.matching": "How many the filters mean.",
    "counts.done": "How many were released, or dismissed.",
    "counts.left": "How many are left for the next request.",
    "lead.released": "How many leads were released.",
    "lead.still_held": "How many of them something else still holds.",
    "lead.more": "Whether there are further ones: send the review once more.",
    "counts.total": "All leads of the batch.",
    "counts.created": "New leads.",
    "counts.updated": "Leads that were there and were updated.",
    "counts.unchanged": "Sent twice within " + spoken(DOUBLE_CLICK) + ", with one effect.",
    "counts.replayed": "Sent before under the same key or `vendor_lead_id`, and answered as they were then.",
    "counts.refused": "Refused, each with its code.",
    "counts.unavailable": "Not taken because the database was unavailable; send them again.",
    # Pages of lists
    "page.total_count": "How many there are in all; null where counting them would take too long.",
    "page.per_page": "How many a page holds.",
    "page.next_cursor": "Opens the next page as `cursor`; null on the last one.",
    # Submissions
    "submission": "The submission.",
    "submissions": "The submissions of this page, newest first.",
    "submission.id": "Its id.",
    "submission.submission_id": "Its id.",
    "submission.lead_token_id": "The lead token that it came with.",
    "submission.vendor_id": "The `vendor_id` of that token, by which its vendor finds it.",
    "submission.lead_token_name": "The name of that token.",
    "submission.api_key_id": "The API key that it came with.",
    "submission.lead_id": "The lead that it made or changed.",
    "submission.public_lead_id": "The id that the answer to a publishable token showed in place of the lead's.",
    "submission.original_id": "The submission whose answer it repeated.",
    "submission.replay_of_id": "The submission that this one replays.",
    "submission.endpoint": "The endpoint that it came to.",
    "submission.powers": "The powers that it had: `server`, or `public` for a publishable token.",
    "submission.action": "What was done, or `refused`.",
    "submission.code": "Why it was refused.",
    "submission.caller_id": "The number in E.164, or as it was sent.",
    "submission.vendor_lead_id": "The sender's own id of the lead.",
    "submission.idempotency_key": "The key that it came with.",
    "submission.received": "All that came, with secrets redacted.",
    "submission.why": "Each step of the decision: what was read, what was decided, by which rule.",
    "submission.origin": "The site that sent it.",
    "submission.referrer": "The `Referer` that the browser sent.",
    "submission.remote_ip": "The IP address that it came from.",
    "submission.user_agent": "The `User-Agent` of the program that sent it.",
    "submission.request_id": "The id of the request in our logs.",
    "submission.created_at": "When it came.",
    "submission.purge_at": "When it is deleted, if it was refused.",
    "submission.released_at": "When it was taken out of quarantine, or what it repeated was.",
    "count.date": "The day, in the company's time zone.",
    "count.action": "What was done.",
    "count.code": "Why it was refused.",
    "count.count": "How many there were.",
    "metadata.total_count": "How many there are in all.",
    "metadata.time_zone": "The time zone of the days.",
    "metadata.created_at_from": "The beginning of the period that was counted.",
    "metadata.created_at_to": "The end of the period that was counted.",
    # Replays and releases
    "submission_id": "The submission that the replay has made, or that was released; null for a dry run.",
    "replay_of_id": "The submission that was replayed.",
    "outcome": "What became of it then, and what becomes of it now.",
    "outcome.before": "What became of it when it came.",
    "outcome.after": "What becomes of it under today's rules.",
    "before.action": "What was done.",
    "before.code": "Why it was refused.",
    "before.lead_id": "The lead that it made or changed.",
    "before.created_at": "When it came.",
    "after.action": "What is done.",
    "after.code": "Why it is refused.",
    "after.lead_id": "The lead that it makes or changes.",
    "after.errors": "The texts about each parameter.",
    "after.message": "The refusal as a sentence.",
    "difference": "Each member of the lead that differs.",
    "difference.field": "The member.",
    "difference.before": "Its value before.",
    "difference.after": "Its value after.",
    # Calls
    "call": "The call.",
    "call.id": "Its id.",
    "call.lead_id": "The lead that it belongs to.",
    "call.offer_id": "The offer that it was about.",
    "call.schedule_id": "The schedule that made it.",
    "call.caller_id": "The lead's phone number in E.164.",
    "call.direction": "`inbound` or `outbound`.",
    "call.external_id": "Your own id of the call.",
    "call.traffic_source_id": "The source of its lead, by your own id.",
    "call.sub_id": "The sub id of its lead.",
    "call.started_at": "When it began.",
    "call.duration_seconds": "How long it took, in seconds.",
    "call.data": "Its tokens.",
    "call.created_at": "When it was reported.",
    "call.updated_at": "When it last changed.",
    # Disclosures
    "version": "The version.",
    "versions": "The versions of this page, newest first.",
    "lint": "What was found in the text.",
    "lint.passes": "Whether it may be published.",
    "lint.lacks": "What it lacks.",
    "lint.warnings": "What could not be checked.",
    "lack.element": "Which part is lacking.",
    "lack.parameter": "The parameter that mends it.",
    "lack.message": "What is missing.",
    "lack.why": "Why it is wanted.",
    "lack.add": "What to add, in the language of the text.",
    "preview": "What visitors are shown.",
    "preview.version_id": "The version.",
    "preview.content_hash": "The address of its content.",
    "preview.language": "The language that was found.",
    "preview.text": "The consent text.",
    "preview.label": "What stands beside the box.",
    "preview.links": "The links below the text.",
    "preview.html": "All of it as HTML, escaped; the box starts unticked.",
    "pagelink.kind": "What it leads to.",
    "pagelink.text": "What it says.",
    "pagelink.url": "Where it leads.",
    # Snippets
    "embed": "The ways to put it on a page.",
    "embed.hosted": "The line that loads the present script.",
    "embed.versioned": "The line that loads this build and no other; its consent is asserted at most.",
    "embed.jquery": "A form for pages that have jQuery.",
    "embed.fetch": "The same without jQuery.",
    "embed.confirmation": "What sends a lead from the page that comes after a form of another kind.",
    "embed.no_javascript": "A form that works without JavaScript.",
    "embed.csp": "What the Content-Security-Policy of a strict page needs beside its own.",
    "embed.download": "Where the script of this build is, to be served from the page's own host.",
    "embed.language": "The language whose text stands in the variants; null where nothing is published.",
    "embed.evidence": "The best evidence of consent that each way can give.",
    "evidence.hosted": "Its file is fetched anew, with a stamp.",
    "evidence.versioned": "Its file never changes, and has no stamp.",
    "evidence.jquery": "It stands in the page.",
    "evidence.fetch": "It stands in the page.",
    "evidence.confirmation": "It stands in the page.",
    "evidence.no_javascript": "It stands in the page.",
    "builds": "The builds whose addresses were shown, the latest first, 100 at most.",
    "build.version": "What `handraiser.version` says on a page that has it.",
    "build.hash": "SHA-384 of its bytes, as base64url spells it.",
    "build.integrity": "The same as the `integrity` of a script.",
    "build.url": "Where its bytes are.",
    "build.created_at": "When its address was first shown.",
    # The suppression list
    "counts.suppressed": "Numbers that are on the list now.",
    "counts.already": "Numbers that were on it before.",
    "counts.removed": "Numbers that have left the list.",
    "counts.absent": "Numbers that were not on it.",
    "counts.invalid": "Lines without a valid number.",
    "error.line": "The number of the line.",
    "error.value": "What the line holds.",
    "error.message": "What is wrong with it.",
    # What a token expects
    "fields": "The contact fields in their order.",
    "contact_field_types": "The contact field types.",
    "expectedfield.key": "Its key.",
    "expectedfield.name": "Its name, for people.",
    "expectedfield.hint": "A hint for filling it in.",
    "expectedfield.value_type": "What kind of value it takes.",
    "expectedfield.required": "Whether it has to be sent, where the offer enforces its contact fields.",
    "expectedfield.pattern": "The pattern that its text has to match.",
    "expectedfield.options": "The values that it may have; an empty list allows any.",
    "expectedfield.minimum": "The smallest value that it may have.",
    "expectedfield.maximum": "The largest value that it may have.",
    "expectedfield.contact_field_type_id": "Only leads of this type have it.",
    "expectedfield.contact_field_type": "The same, by its key.",
    "expectedfield.position": "Its place in a form.",
    "expectedfield.parameter": "The parameter that it is sent as.",
    "expectedtype.id": "Its id.",
    "expectedtype.key": "What is sent as `contact_field_type`.",
    "expectedtype.name": "Its name, for people.",
    # What is shown once
    "password": "The new password, shown only this once.",
    "private": "The new private key, shown only this once.",
    "previous_lead_token": "The token that it replaces, with the time when that one expires.",
}
# Components that are called otherwise where they stand.
ALIKE = {"listedlead": "lead", "leadanswer": "", "batchanswer": "", "replayanswer": "", "ownsubmission": "submission"}
ALIKE |= {"dailycount": "count", "countedperiod": "metadata", "replayrefusal": "", "newschedule": "schedule"}
ALIKE |= {"unkeptcount": "count", "toldlead": "lead", "claim": "consent"}
ALIKE |= {"leadconsent": "consent", "consentrecord": "consent", "releaseanswer": "", "releaserefusal": ""}


def worded(schema: Json, holder: str = "") -> Json:
    """A schema whose members have their words, and theirs, as far down as it goes; what has its own keeps them."""
    holder = holder.lower()
    holder = ALIKE.get(holder, holder)
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: member(name, about, holder) for name, about in schema["properties"].items()}
    for word in ("anyOf", "allOf"):
        if word in schema:
            made[word] = [worded(each, holder) for each in schema[word]]
    if "items" in schema:
        made["items"] = worded(schema["items"], holder)
    return made


def member(name: str, about: Json, holder: str) -> Json:
    """One member with its words."""
    text = about.get("description") or WORDS.get(f"{holder}.{name}") or WORDS.get(name) or managed(name, about)
    inner = worded(about, name if name in ("counts", "matched") else name.removesuffix("s"))
    return inner | ({"description": text} if text else {})


def managed(name: str, about: Json) -> str:
    """The words about a thing that is managed, or a list of them: what it is stands in its schema."""
    words = name.replace("_", " ").replace("api ", "API ")
    if name == "id":
        return "Its id."
    if "$ref" in about:
        return f"The {words}."
    return f"The {words} of this page, newest first." if "$ref" in about.get("items", {}) else ""
