"""What the document says of the ways to put a snippet on a page."""

from collections.abc import Mapping

from server.api.snippets import SNIPPETS
from server.consent.schemas import PreviewFilter
from server.docs.answers import TEXT, TIME, always, listing, or_null, ref
from server.docs.fields import Json, asked
from server.docs.managed import IF_MATCH, SEEN_IN_QUERY, subject_of
from server.docs.operation import FOR_EDIT, FOR_KEY, FOR_PARAMETERS, FOR_PATH, Operation
from server.embed.variants import EVIDENCE, INLINE

LEVEL: Json = {"type": "string", "enum": sorted({*EVIDENCE.values()})}
SNIPPET_COMPONENTS: dict[str, Json] = {
    "Embed": always(
        hosted=TEXT,
        versioned=or_null(TEXT),
        **dict.fromkeys(INLINE, TEXT),
        csp=TEXT,
        download=or_null(TEXT),
        language=or_null(TEXT),
        evidence=always(**dict.fromkeys(EVIDENCE, LEVEL)),
    ),
    "Build": always(version=TEXT, hash=TEXT, integrity=TEXT, url=TEXT, created_at=TIME),
}

SHOWN: Json = always(embed=ref("Embed"), builds=listing(ref("Build")), warnings=listing(ref("Warning")))

# By endpoint.
SNIPPET_OPERATIONS: Mapping[str, Operation] = {
    "snippets.embed": Operation(
        page="snippets/embed",
        scope="config:read",
        summary="Show how to put a snippet on a page",
        description="Each way is ready to copy, with the texts that are published now. What of a variant is not known"
        " stays as a placeholder. `versioned` and `download` name a build: they are null until it is published.",
        answer=SHOWN,
        codes=FOR_KEY | FOR_PARAMETERS | FOR_PATH,
        query=asked(PreviewFilter()),
        subject=subject_of(SNIPPETS),
    ),
    "snippets.publish": Operation(
        page="snippets/publish",
        scope="config:write",
        summary="Publish the present build of a snippet",
        description="Keeps the build that the snippet has now, and serves it as long as the snippet lives, whatever"
        " changes later. The answer shows the ways to put it on a page, `versioned` and `download` among them. The same"
        " build again is the one that is there.",
        answer=SHOWN,
        codes=FOR_EDIT,
        query=[SEEN_IN_QUERY, *asked(PreviewFilter())],
        headers=IF_MATCH,
        subject=subject_of(SNIPPETS),
    ),
}
