"""Reads a WSGI request into trees of parameters: its query string, and its body in every common format."""

from server.lib.wire.objects import SAFE_INTEGER, parse_json
from server.lib.wire.request import read_body, read_query, read_signed, read_upload
from server.lib.wire.terms import FORM, LIMITS, Code, Limits, Tree, Unreadable
from server.lib.wire.tree import first_bad_character, merge, undot

__all__ = [
    "FORM",
    "LIMITS",
    "SAFE_INTEGER",
    "Code",
    "Limits",
    "Tree",
    "Unreadable",
    "first_bad_character",
    "merge",
    "parse_json",
    "read_body",
    "read_query",
    "read_signed",
    "read_upload",
    "undot",
]
