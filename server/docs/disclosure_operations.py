"""What the document says of the texts of disclosures: of their versions, the lint and the previews."""

from collections.abc import Mapping

from server.api.disclosures import DISCLOSURES, VERSIONS
from server.consent.lint import ELEMENTS
from server.consent.schemas import ContentSchema, PreviewFilter, ReviewSchema
from server.docs.answers import SWITCH, TEXT, WHOLE, always, listing, or_null, ref
from server.docs.fields import Json, asked, shown, taken
from server.docs.managed import CREATED, ETAG, IF_MATCH, ROW_ID, SEEN_IN_QUERY, UPDATED, subject_of
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
    operation_id,
)
from server.leads.reviewed import MOST_RELEASED

PART = Subject("version_id", ROW_ID | {"description": "The `id` of the version."})
LACK = always(
    element={"type": "string", "enum": [*ELEMENTS]},
    parameter=TEXT,
    message=TEXT,
    why=TEXT,
    add=TEXT,
)
DISCLOSURE_COMPONENTS: dict[str, Json] = {
    "Version": shown(VERSIONS.schema(), {"id": ROW_ID, "created_at": CREATED, "updated_at": UPDATED}),
    "Lint": always(passes=SWITCH, lacks=listing(ref("Lack")), warnings=listing(TEXT)),
    "Lack": LACK,
    "Preview": always(
        version_id=WHOLE,
        content_hash=TEXT,
        language=TEXT,
        text=TEXT,
        label=TEXT,
        links=listing(ref("PageLink")),
        html=TEXT,
    ),
    "PageLink": always(kind={"type": "string", "enum": ["terms", "privacy"]}, text=TEXT, url=TEXT),
}
TEXT_TO_COPY = {name: field.metadata["example"] for name, field in ContentSchema().fields.items()}
DISCLOSURE = subject_of(DISCLOSURES)


def answer_of(**more: Json) -> Json:
    """The answer about one version."""
    return always(version=ref("Version"), lint=ref("Lint"), **more)


def next_of() -> dict[str, Json]:
    """What can be asked next of the version that an answer shows."""
    return {
        verb: {
            "operationId": operation_id(f"disclosures.{endpoint}", method),
            "parameters": {"id": "$response.body#/version/disclosure_id", "version_id": "$response.body#/version/id"},
        }
        for verb, endpoint, method in (
            ("show", "show_version", "GET"),
            ("preview", "preview_version", "GET"),
            ("review", "review_version", "POST"),
            ("publish", "publish_version", "POST"),
        )
    }


# By endpoint.
DISCLOSURE_OPERATIONS: Mapping[str, Operation] = {
    "disclosures.lint_text": Operation(
        page="disclosures/lint",
        scope="config:read",
        summary="Check a consent text",
        description="Says what a text lacks, why it is wanted and what to add; nothing is kept. Without a language it"
        " is read as English.",
        answer=always(lint=ref("Lint")),
        codes=FOR_KEY | FOR_BODY,
        body={JSON: taken(ContentSchema())},
        examples=(Example("", {"text": "Yes, call me.", "label": "I agree", "language": "en"}),),
    ),
    "disclosures.preview": Operation(
        page="disclosures/preview",
        scope="config:read",
        summary="Preview a disclosure",
        description="What a visitor of that language is shown now, with HTML that is safe to put into a page.",
        answer=always(preview=ref("Preview")),
        codes=FOR_KEY | FOR_PARAMETERS | FOR_PATH,
        query=asked(PreviewFilter()),
        subject=DISCLOSURE,
    ),
    "disclosures.list_versions": Operation(
        page="disclosures/versions",
        scope="config:read",
        summary="List the versions of a disclosure",
        description="Drafts too, in all languages, the newest first; `next_cursor` opens the next page.",
        answer=always(versions=listing(ref("Version")), metadata=ref("Page")),
        codes=FOR_KEY | FOR_PARAMETERS | FOR_PATH,
        query=asked(VERSIONS.listing()),
        subject=DISCLOSURE,
    ),
    "disclosures.create_version": Operation(
        page="disclosures/create_version",
        scope="config:write",
        summary="Add a version to a disclosure",
        description="Keeps it as a draft, whatever it lacks. A version never changes and is never deleted; the same"
        " content again is the version that is there (`unchanged`).",
        answer=answer_of(action={"type": "string", "enum": ["created", "unchanged"]}),
        codes=FOR_KEY | FOR_BODY | FOR_PATH,
        body={JSON: taken(ContentSchema())},
        sends=ETAG,
        subject=DISCLOSURE,
        examples=(Example("", TEXT_TO_COPY),),
        links=next_of(),
    ),
    "disclosures.show_version": Operation(
        page="disclosures/show_version",
        scope="config:read",
        summary="Show a version of a disclosure",
        description="With what it lacks before it can be published.",
        answer=answer_of(),
        codes=FOR_KEY | FOR_PATH,
        sends=ETAG,
        subject=DISCLOSURE,
        part=PART,
    ),
    "disclosures.preview_version": Operation(
        page="disclosures/preview_version",
        scope="config:read",
        summary="Preview a version",
        description="Also a draft.",
        answer=always(preview=ref("Preview")),
        codes=FOR_KEY | FOR_PATH,
        subject=DISCLOSURE,
        part=PART,
    ),
    "disclosures.review_version": Operation(
        page="disclosures/review",
        scope="config:write",
        summary="Review a version",
        description="Says that you stand by a text that was learned from a page: leads whose visitors agreed to it are"
        " not held from now on. It is not published by that. With `release_leads` those that are held for it already"
        f" are released, {MOST_RELEASED:,} at most for one request: while the answer says `more`, ask again."
        " Leads that are held for another text as well stay held. It needs the scope `leads:update` beside its own.",
        answer=answer_of(leads=or_null(always(released=WHOLE, still_held=WHOLE, more=SWITCH))),
        codes=FOR_EDIT,
        query=[SEEN_IN_QUERY],
        body={JSON: taken(ReviewSchema())},
        examples=(Example("", {"release_leads": True}),),
        headers=IF_MATCH,
        sends=ETAG,
        subject=DISCLOSURE,
        part=PART,
    ),
    "disclosures.publish_version": Operation(
        page="disclosures/publish",
        scope="config:write",
        summary="Publish a version",
        description="Makes it what visitors of its language are shown, in the place of the one before, which can be"
        " published again. A text that lacks something is refused by all that it lacks.",
        answer=answer_of(),
        codes=FOR_EDIT,
        query=[SEEN_IN_QUERY],
        headers=IF_MATCH,
        sends=ETAG,
        subject=DISCLOSURE,
        part=PART,
    ),
}
