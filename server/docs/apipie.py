"""The pages as JSON, in the form in which apipie serves them, for who reads docs by program. Pure."""

import hashlib
from typing import Any

from server.docs.reference import Method, Param, Reference, Resource
from server.lib import json

VERSION = "1.0"
TITLE = "Handraiser"

Docs = dict[str, Any]


def docs_json(reference: Reference, docs_url: str, resource: str | None = None, method: str | None = None) -> Docs:
    """All docs, those of one resource, or those of one of its methods."""
    wanted = [each for each in reference.resources if resource in (None, each.id)]
    resources = [resource_json(each, docs_url, method) for each in wanted]
    return {
        "docs": {
            "name": TITLE,
            "info": "Takes leads in and keeps them on the record.",
            "copyright": None,
            "doc_url": f"{docs_url}/{VERSION}",
            "api_url": "/api/v1",
            "resources": {each["id"]: each for each in resources} if resource is None else resources,
        }
    }


def checksum(reference: Reference) -> str:
    """What tells whether the docs have changed."""
    return hashlib.sha1(json.canonical(docs_json(reference, "")), usedforsecurity=False).hexdigest()


def resource_json(resource: Resource, docs_url: str, method: str | None) -> Docs:
    """A resource with its methods."""
    return {
        "doc_url": f"{docs_url}/{VERSION}/{resource.id}",
        "id": resource.id,
        "api_url": "/api/v1",
        "name": resource.title,
        "short_description": resource.text,
        "full_description": paragraph(resource.text),
        "version": VERSION,
        "formats": sorted({each for method in resource.methods for each in method.formats}),
        "metadata": None,
        "methods": [method_json(each, docs_url) for each in resource.methods if method in (None, each.name)],
        "headers": [],
        "deprecated": False,
    }


def method_json(method: Method, docs_url: str) -> Docs:
    """One method."""
    return {
        "doc_url": f"{docs_url}/{VERSION}/{method.page}",
        "name": method.name,
        "apis": [
            {"api_url": path, "http_method": verb, "short_description": method.summary, "deprecated": False}
            for verb, path in method.apis
        ],
        "formats": [*method.formats],
        "full_description": paragraph(method.description),
        "errors": [{"code": each.status, "description": each.code, "metadata": None} for each in method.errors],
        "params": [param_json(each) for each in method.params],
        "returns": [{"code": 200, "description": "", "returns_object": [param_json(each) for each in method.returns]}],
        "examples": [] if method.answer is None else [example_text(method)],
        "metadata": None,
        "see": [],
        "headers": [
            {"name": each.name, "description": each.description, "options": {"required": each.required}}
            for each in method.headers
        ],
        "show": True,
    }


def example_text(method: Method) -> str:
    """Request and answer as apipie records them."""
    verb, path = method.apis[0]
    sent = [json.pretty(method.examples[0].body)] if method.examples and method.examples[0].body else []
    return "\n".join([f"{verb} {path}", *sent, "200", json.pretty(method.answer)])


def param_json(param: Param) -> Docs:
    """One parameter."""
    made: Docs = {
        "name": param.name,
        "full_name": param.full_name,
        "description": paragraph(param.description),
        "required": param.required,
        "allow_nil": param.nullable,
        "allow_blank": param.nullable,
        "validator": param.validations[-1] if param.validations else "",
        "expected_type": param.kind,
        "metadata": None,
        "show": True,
        "validations": [*param.validations],
        "deprecated": False,
    }
    return made | ({"params": [param_json(each) for each in param.params]} if param.params else {})


def paragraph(text: str) -> str:
    """A text as apipie's HTML; ours hold no markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p>{escaped}</p>\n" if text else ""
