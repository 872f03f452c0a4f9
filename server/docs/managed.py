"""What the document says of each kind of managed thing: its `Resource` says it all."""

from collections.abc import Callable, Mapping

from sqlalchemy import Integer

from server.api.resource import CREATE, DELETE, LIST, RESTORE, SHOW, UPDATE, Resource
from server.docs.answers import TEXT, TIME, UUID, always, listing, ref
from server.docs.fields import Json, asked, in_query, shown, strict, taken
from server.docs.operation import (
    FOR_BODY,
    FOR_EDIT,
    FOR_KEY,
    FOR_PARAMETERS,
    FOR_PATH,
    JSON,
    Example,
    Operation,
    Subject,
    link,
)
from server.lib.fields import MOST

SOME_TIME = "2026-12-01T14:26:43.000+00:00"
SEEN: Json = {
    "type": "string",
    "format": "date-time",
    "nullable": True,
    "description": "The `updated_at` that you last read; if it has changed since, nothing is done.",
    "example": SOME_TIME,
}
CREATED = TIME | {"description": "When it was made.", "example": SOME_TIME}
UPDATED = TIME | {"description": "When it last changed.", "example": SOME_TIME}
ROW_ID: Json = {"type": "integer", "minimum": 1, "maximum": MOST, "example": 1}
SEEN_IN_QUERY: Json = in_query("updated_at", TIME | {"description": SEEN["description"], "example": SOME_TIME})
IF_MATCH: Mapping[str, Json] = {
    "If-Match": {
        "type": "string",
        "description": "The `ETag` that you last read; if it has changed since, nothing is done.",
        "example": f'"{SOME_TIME}"',
    }
}
ETAG: Mapping[str, Json] = {
    "ETag": {
        "type": "string",
        "description": "The version of what is shown; send it as `If-Match` to change exactly that.",
    }
}


def id_of(resource: Resource) -> Json:
    """What names a row."""
    by_number = isinstance(resource.model.__table__.c.id.type, Integer)
    return ROW_ID if by_number else UUID | {"example": "74da9151-d988-4428-8087-c8dcf47ae9a2"}


def subject_of(resource: Resource) -> Subject:
    """What names a row in a path."""
    return Subject("id", id_of(resource) | {"description": f"The `id` of the {resource.words}."})


def plural(resource: Resource) -> str:
    """Many of them, as a sentence names them."""
    return resource.many.replace("_", " ").replace("api ", "API ")


def named(resource: Resource) -> str:
    """One of them, as a sentence names it."""
    return resource.named.replace("api ", "API ")


def page_of(resource: Resource, method: str) -> str:
    """The page of a method, under the name that Rails, and so apipie, has for it."""
    return f"{resource.many}/{method}"


def one_of(resource: Resource) -> str:
    """The name of a resource in the document: `TrafficSource`."""
    return resource.one.title().replace("_", "")


def shows(resource: Resource) -> Json:
    """The answer about one thing."""
    return always(**{resource.one: ref(one_of(resource))}, **warned(resource))


def warned(resource: Resource) -> dict[str, Json]:
    """What answers about one thing say beside it."""
    return {"warnings": listing(ref("Warning"))} if resource.warns else {}


def made(resource: Resource) -> Json:
    """The answer that makes one: what only it shows stands beside the thing or in it."""
    once = once_of(resource)
    if resource.apart or not once:
        return always(**{resource.one: ref(one_of(resource)), **once}, **warned(resource))
    return always(**{resource.one: ref(f"New{one_of(resource)}")}, **warned(resource))


def listed(resource: Resource) -> Operation:
    """A page of things."""
    answer = always(**{resource.many: listing(ref(one_of(resource))), "metadata": ref("Page")})
    return Operation(
        page=page_of(resource, "index"),
        summary=f"List {plural(resource)}",
        description="The newest first, a page at a time; `next_cursor` opens the next page.",
        answer=answer,
        codes=FOR_KEY | FOR_PARAMETERS,
        query=asked(resource.listing()),
    )


def created(resource: Resource) -> Operation:
    """A new thing."""
    body = {JSON: taken(resource.schema())}
    return Operation(
        page=page_of(resource, "create"),
        summary=f"Create {named(resource)}",
        answer=made(resource),
        codes=FOR_KEY | FOR_BODY,
        body=body,
        sends=ETAG,
    )


def shown_one(resource: Resource) -> Operation:
    """One thing."""
    return Operation(
        page=page_of(resource, "show"),
        summary=f"Show {named(resource)}",
        description=f"Also a deleted one, with `{resource.ended}`." if resource.ended else "",
        answer=shows(resource),
        codes=FOR_KEY | FOR_PATH,
        sends=ETAG,
        subject=subject_of(resource),
    )


def changed(resource: Resource) -> Operation:
    """A thing that is there, whose fixed parameters stay."""
    schema = resource.schema(exclude=resource.fixed & resource.schema().fields.keys())
    body = {JSON: taken(schema, partial=True, more={"updated_at": SEEN})}
    return Operation(
        page=page_of(resource, "update"),
        summary=f"Change {named(resource)}",
        description="What is not sent stays as it is.",
        examples=change_of(resource),
        answer=shows(resource),
        codes=FOR_EDIT,
        body=body,
        headers=IF_MATCH,
        sends=ETAG,
        subject=subject_of(resource),
    )


def change_of(resource: Resource) -> tuple[Example, ...]:
    """A change to copy: of the first parameter that may change."""
    fields = resource.schema().load_fields
    name = next(name for name in fields if name not in resource.fixed)
    return (Example("", {name: fields[name].metadata["example"]}),)


def touched(resource: Resource, method: str, summary: str, description: str) -> Operation:
    """A thing that is deleted or brought back."""
    return Operation(
        page=page_of(resource, method),
        summary=summary,
        description=description,
        answer=shows(resource),
        codes=FOR_EDIT,
        query=[SEEN_IN_QUERY],
        headers=IF_MATCH,
        sends=ETAG,
        subject=subject_of(resource),
    )


def deleted(resource: Resource) -> Operation:
    """A thing that is marked as deleted."""
    text = "It is only marked as deleted, and can be restored; one that is deleted already stays as it is."
    return touched(resource, "destroy", f"Delete {named(resource)}", text)


def restored(resource: Resource) -> Operation:
    """A thing whose deletion is taken back."""
    return touched(resource, "restore", f"Restore {named(resource)}", "Takes a deletion back.")


MANAGED: Mapping[str, Callable[[Resource], Operation]] = {
    LIST: listed,
    CREATE: created,
    SHOW: shown_one,
    UPDATE: changed,
    DELETE: deleted,
    RESTORE: restored,
}


# What is asked of one thing that an answer shows, each with its method.
VERBS_OF_ONE = {SHOW: "GET", UPDATE: "PUT", DELETE: "DELETE", RESTORE: "POST"}


def links_of(resource: Resource, blueprint: str) -> dict[str, Json]:
    """What can be asked next of the thing that an answer shows."""
    return {
        verb: link(f"{blueprint}.{resource.many}_{verb}", method, "id", f"{resource.one}/id")
        for verb, method in VERBS_OF_ONE.items()
        if verb not in resource.without
    }


def components_of(resource: Resource) -> dict[str, Json]:
    """How one is shown, and how it is shown by the answer that makes it."""
    name = one_of(resource)
    one = shown(resource.schema(), {"id": id_of(resource), "created_at": CREATED, "updated_at": UPDATED})
    one["properties"]["deleted_at"] = TIME | {"description": "When it was deleted.", "example": SOME_TIME}
    once = once_of(resource)
    if resource.apart or not once:
        return {name: one}
    return {name: one, f"New{name}": strict(one["properties"] | once, [*one["required"], *once])}


def once_of(resource: Resource) -> dict[str, Json]:
    """What only the answer shows that makes one."""
    return {name: TEXT | {"description": text} for name, text in resource.once.items()}


def beside(page: str, summary: str, description: str, once: Json, body: Json | None = None, *, scope: str) -> Operation:
    """A further action on one thing, whose answer shows something once beside it."""
    one = page.partition("/")[0].removesuffix("s")
    return Operation(
        page=page,
        scope=scope,
        summary=summary,
        description=description,
        answer=always(**{one: ref(one.title().replace("_", "")), **once}),
        codes=FOR_EDIT,
        body={JSON: body} if body else {},
        query=[] if body else [SEEN_IN_QUERY],
        headers=IF_MATCH,
        sends={} if body else ETAG,
        subject=Subject("id", ROW_ID | {"description": f"The `id` of the {one.replace('_', ' ')}."}),
    )
