"""What the document says of the ways to put a snippet on a page."""

from collections.abc import Mapping

from server.api.snippets import SNIPPETS
from server.consent.schemas import PreviewFilter
from server.docs.answers import TEXT, TIME, always, listing, or_null, ref
from server.docs.fields import Json, asked
from server.docs.managed import subject_of
from server.docs.operation import FOR_KEY, FOR_PARAMETERS, FOR_PATH, Operation
from server.embed.variants import EVIDENCE, INLINE

LEVEL: Json = {"type": "string", "enum": sorted({*EVIDENCE.values()})}
SNIPPET_COMPONENTS: dict[str, Json] = {
    "Embed": always(
        hosted=TEXT,
        versioned=TEXT,
        **dict.fromkeys(INLINE, TEXT),
        csp=TEXT,
        download=TEXT,
        language=or_null(TEXT),
        evidence=always(**dict.fromkeys(EVIDENCE, LEVEL)),
    ),
    "Build": always(version=TEXT, hash=TEXT, integrity=TEXT, url=TEXT, created_at=TIME),
}

# By endpoint.
SNIPPET_OPERATIONS: Mapping[str, Operation] = {
    "snippets.embed": Operation(
        page="snippets/embed",
        scope="config:read",
        summary="Show how to put a snippet on a page",
        description="Each way is ready to copy, with the texts that are published now. What of a variant is not known"
        " stays as a placeholder. The build that is shown is kept, and served as long as the snippet lives.",
        answer=always(embed=ref("Embed"), builds=listing(ref("Build")), warnings=listing(ref("Warning"))),
        codes=FOR_KEY | FOR_PARAMETERS | FOR_PATH,
        query=asked(PreviewFilter()),
        subject=subject_of(SNIPPETS),
    ),
}
