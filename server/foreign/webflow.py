"""Webflow's webhook of a form: `payload.data`, or `data` alone as its first version had it."""

from server.foreign.reading import Leaf, Reading, Tree, beneath, rest_of, told
from server.foreign.walk import unclaimed, walk


def is_webflow(tree: Tree) -> bool:
    """Whether it is a form's submission, of the second version or of the first."""
    payload = tree.get("payload")
    if tree.get("triggerType") == "form_submission" and isinstance(payload, dict):
        return isinstance(payload.get("data"), dict)
    return isinstance(tree.get("data"), dict) and {"name", "site", "_id"} <= tree.keys()


def read_webflow(tree: Tree, path: str = "") -> Reading:
    """The answers by their labels. The form's own name and what describes it is not the lead's."""
    second = isinstance(tree.get("payload"), dict)
    form, place = (tree["payload"], beneath(path, "payload")) if second else (tree, path)
    identity = "id" if second else "_id"
    leaves: list[Leaf] = list(walk(form["data"], beneath(place, "data")))
    if isinstance(form.get(identity), str):
        # One to a submission, also when it is delivered again.
        leaves.append(
            told("vendor_lead_id", beneath(place, identity), identity, form[identity], "id of the submission")
        )
    for name, value in rest_of(form, ["data", "schema", identity]).items():
        leaves += unclaimed(value, beneath(place, name), "form_name" if name == "name" else name)
    for name, value in rest_of(tree, ["payload"] if second else tree.keys()).items():
        leaves += unclaimed(value, beneath(path, name), name)
    return Reading("webflow", tuple(leaves))
