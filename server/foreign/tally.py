"""Tally's webhook: `data.fields`, each with what was asked, its type and its answer; choices come by their ids."""

from server.foreign.questions import read_list
from server.foreign.reading import Leaf, Reading, Tree, beneath, rest_of, told
from server.foreign.walk import unclaimed


def is_tally(tree: Tree) -> bool:
    """Whether it is a response of a form."""
    data = tree.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("fields"), list):
        return False
    known = tree.get("eventType") == "FORM_RESPONSE" or {"responseId", "respondentId"} <= data.keys()
    return known and all(isinstance(field, dict) for field in data["fields"])


def read_tally(tree: Tree, path: str = "") -> Reading:
    """The answers by what was asked, and what Tally says of the response, which is not the lead's."""
    data, inside = tree["data"], beneath(path, "data")
    # A box of several comes once more for each of its choices, so that what was left unticked is on record.
    leaves: list[Leaf] = list(read_list(data["fields"], beneath(inside, "fields")))
    response = data.get("responseId", data.get("submissionId"))
    if isinstance(response, str):
        # One to a response, also when it is delivered again.
        member = "responseId" if "responseId" in data else "submissionId"
        leaves.append(told("vendor_lead_id", beneath(inside, member), member, response, "id of the response"))
    for name, value in rest_of(data, ["fields", "responseId"]).items():
        leaves += unclaimed(value, beneath(inside, name), name)
    for name, value in rest_of(tree, ["data"]).items():
        leaves += unclaimed(value, beneath(path, name), name)
    return Reading("tally", tuple(leaves))
