"""Reads a WSGI request into trees of parameters: its query string, and its body in every common format."""

from server.lib.wire.charsets import find_charset
from server.lib.wire.objects import SAFE_INTEGER, parse_json
from server.lib.wire.request import parse_body, read_body, read_query, read_signed, read_upload
from server.lib.wire.terms import EDGES, FORM, LIMITS, UNSTORABLE, Code, Limits, Note, Tree, Unreadable
from server.lib.wire.tree import first_bad_character, merge, undot

__all__ = [
    "EDGES",
    "FORM",
    "LIMITS",
    "SAFE_INTEGER",
    "UNSTORABLE",
    "Code",
    "Limits",
    "Note",
    "Tree",
    "Unreadable",
    "find_charset",
    "first_bad_character",
    "merge",
    "parse_body",
    "parse_json",
    "read_body",
    "read_query",
    "read_signed",
    "read_upload",
    "undot",
]
