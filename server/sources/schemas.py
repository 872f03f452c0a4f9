"""Traffic sources, as the API and the console show them."""

from marshmallow import Schema

from server.lib.fields import Switch, Text


class TrafficSourceSchema(Schema):
    """A traffic source."""

    user_traffic_source_id = Text(
        "Your own id of it, which leads name. Null or absent: the next free number, from 1000 up.",
        "google_ads",
        allow_none=True,
        load_default=None,
    )
    name = Text("What people call it.", "Google Ads", required=True)
    show_in_docs = Switch(
        "Whether the documentation names it to whoever opens it with one of your lead tokens.", load_default=False
    )


class TrafficSourceFilter(Schema):
    """The filters of the list of traffic sources."""

    user_traffic_source_id = Text("Only the one that you gave this id.", "google_ads")
    name = Text("Only sources of exactly this name.", "Google Ads")
