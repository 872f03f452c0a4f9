"""What the pages group their methods by, in the manner of apipie: each with its title and one sentence."""

from collections.abc import Mapping

# In the order in which readers need them.
RESOURCES: Mapping[str, tuple[str, str]] = {
    "leads_external": ("Lead by third party", "Send leads from a vendor, a form or a web page, with a lead token."),
    "leads": ("Leads", "Read and change the leads that came in."),
    "submissions": (
        "Submissions",
        "Everything that came in, taken or refused, and why; replay it, or release it from quarantine.",
    ),
    "calls": ("Calls", "Report calls: they roll up to the lead and its source."),
    "contacts": ("Contacts", "Phone numbers of people: blocked, opted out, or on the suppression list."),
    "offers": ("Offers", "What leads are for; data waits there for the next call."),
    "schedules": ("Schedules", "Sequences of actions that start with a lead."),
    "schedule_actions": (
        "Schedule actions",
        "The steps of a schedule: what happens, and how long after the one before.",
    ),
    "lead_tokens": ("Lead tokens", "What leads are sent with: one for each vendor or page."),
    "traffic_sources": ("Traffic sources", "The channels that leads come from."),
    "contact_fields": ("Contact fields", "What an offer asks about a lead."),
    "contact_field_types": ("Contact field types", "Kinds of lead, each with its own contact fields."),
    "tokens": ("Tokens", "The names of lead tokens that have come in, for templates; what a lead token expects."),
    "snippets": ("Snippets", "What landing pages get: a script of one line, or its variants."),
    "disclosures": ("Disclosures", "Consent texts of landing pages, in versions that never change."),
    "numbers": ("Numbers", "Phone numbers of the company, which pools assign."),
    "number_pools": ("Number pools", "Which numbers a schedule may assign to a lead."),
    "users": ("Users", "People who may use the console."),
    "api_keys": ("API keys", "What programs use to read and manage, each with its scopes."),
}
