"""What the document says of each kind of managed thing: its `Resource` says it all."""

from collections.abc import Callable, Mapping

from sqlalchemy import Integer

from server.api.resource import CREATE, DELETE, LIST, RESTORE, SHOW, UPDATE, Resource
from server.docs.answers import TEXT, TIME, UUID, always, listing, ref
from server.docs.fields import Json, asked, shown, strict, taken
from server.docs.operation import FOR_BODY, FOR_EDIT, FOR_KEY, FOR_PARAMETERS, FOR_PATH, JSON, Operation, link
from server.lib.fields import MOST

SEEN: Json = {
    "type": "string",
    "format": "date-time",
    "nullable": True,
    "description": "The `updated_at` that the change rests on; if it has moved since, nothing is done.",
}
ROW_ID: Json = {"type": "integer", "minimum": 1, "maximum": MOST}
SEEN_IN_QUERY: Json = {"name": "updated_at", "in": "query", "description": SEEN["description"], "schema": TIME}
IF_MATCH: Mapping[str, Json] = {
    "If-Match": {"type": "string", "description": "The `ETag` that the change rests on, as `updated_at`."}
}
ETAG: Mapping[str, Json] = {"ETag": {"type": "string", "description": "The state of what is shown."}}


def id_of(resource: Resource) -> Json:
    """What names a row in a path."""
    return ROW_ID if isinstance(resource.model.__table__.c.id.type, Integer) else UUID


def one_of(resource: Resource) -> str:
    """The name of a resource in the document: `TrafficSource`."""
    return resource.one.title().replace("_", "")


def shows(resource: Resource) -> Json:
    """The answer about one thing."""
    return always(**{resource.one: ref(one_of(resource))})


def made(resource: Resource) -> Json:
    """The answer that makes one: what only it shows stands beside the thing or in it."""
    once = once_of(resource)
    if resource.apart or not once:
        return always(**{resource.one: ref(one_of(resource)), **once})
    return always(**{resource.one: ref(f"New{one_of(resource)}")})


def listed(resource: Resource) -> Operation:
    """A page of things."""
    answer = always(**{resource.many: listing(ref(one_of(resource))), "metadata": ref("Page")})
    return Operation(answer=answer, codes=FOR_KEY | FOR_PARAMETERS, query=asked(resource.listing()))


def created(resource: Resource) -> Operation:
    """A new thing."""
    body = {JSON: taken(resource.schema())}
    return Operation(answer=made(resource), codes=FOR_KEY | FOR_BODY, body=body, sends=ETAG)


def shown_one(resource: Resource) -> Operation:
    """One thing."""
    return Operation(answer=shows(resource), codes=FOR_KEY | FOR_PATH, sends=ETAG, path=id_of(resource))


def changed(resource: Resource) -> Operation:
    """A thing that is there, whose fixed parameters stay."""
    schema = resource.schema(exclude=resource.fixed & resource.schema().fields.keys())
    body = {JSON: taken(schema, partial=True, more={"updated_at": SEEN})}
    return Operation(
        answer=shows(resource), codes=FOR_EDIT, body=body, headers=IF_MATCH, sends=ETAG, path=id_of(resource)
    )


def touched(resource: Resource) -> Operation:
    """A thing that is deleted or brought back."""
    return Operation(
        answer=shows(resource),
        codes=FOR_EDIT,
        query=[SEEN_IN_QUERY],
        headers=IF_MATCH,
        sends=ETAG,
        path=id_of(resource),
    )


MANAGED: Mapping[str, Callable[[Resource], Operation]] = {
    LIST: listed,
    CREATE: created,
    SHOW: shown_one,
    UPDATE: changed,
    DELETE: touched,
    RESTORE: touched,
}


# What is asked of one thing that an answer shows, each with its method.
VERBS_OF_ONE = {SHOW: "GET", UPDATE: "PUT", DELETE: "DELETE", RESTORE: "POST"}


def links_of(resource: Resource, blueprint: str) -> dict[str, Json]:
    """What can be asked next of the thing that an answer shows."""
    return {
        verb: link(f"{blueprint}.{resource.many}_{verb}", method, "row_id", f"{resource.one}/id")
        for verb, method in VERBS_OF_ONE.items()
        if verb not in resource.without
    }


def components_of(resource: Resource) -> dict[str, Json]:
    """How one is shown, and how it is shown by the answer that makes it."""
    name = one_of(resource)
    times = {"id": id_of(resource), "created_at": TIME, "updated_at": TIME}
    one = shown(resource.schema(), times)
    one["properties"]["deleted_at"] = TIME
    once = once_of(resource)
    if resource.apart or not once:
        return {name: one}
    return {name: one, f"New{name}": strict(one["properties"] | once, [*one["required"], *once])}


def once_of(resource: Resource) -> dict[str, Json]:
    """What only the answer shows that makes one."""
    return {name: TEXT | {"description": text} for name, text in resource.once.items()}


def beside(one: str, once: Json, body: Json | None = None) -> Operation:
    """A further action on one thing, whose answer shows something once beside it."""
    return Operation(
        answer=always(**{one: ref(one.title().replace("_", "")), **once}),
        codes=FOR_EDIT,
        body={JSON: body} if body else {},
        query=[] if body else [SEEN_IN_QUERY],
        headers=IF_MATCH,
        sends={} if body else ETAG,
        path=ROW_ID,
    )
