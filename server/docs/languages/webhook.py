"""A lead as one URL, for a form builder or a CRM that asks for nothing else."""

from dataclasses import replace

from server.docs.languages.sample import Sample, address

# Those that take one lead and need no more than its parameters.
LEADS = frozenset(f"/api/v1/leads{more}" for more in ("", "/capture", "/create_or_update"))


def is_for_webhooks(sample: Sample) -> bool:
    """Whether a URL says it all: a private key never stands in one."""
    return sample.method == "POST" and sample.path in LEADS and not sample.has_private_key


def write_webhook(sample: Sample, base_url: str) -> str:
    """The URL, without headers: a key that marks repeats, in a URL of every lead, would let the first one in only."""
    return address(replace(sample, query={**sample.query, **(sample.body or {})}), base_url) + "\n"
