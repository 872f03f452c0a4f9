"""CallRail's webhooks of calls, messages and forms: beside the customer's number stand those of the business."""

from server.foreign.reading import Leaf, Reading, Tree, beneath, rest_of, told
from server.foreign.walk import walk
from server.foreign.words import Key, fits

# Where the customer's number is, the best first; the short ones are those of the query string.
NUMBERS = ("customer_phone_number", "customer_number", "caller_phone_number", "caller_number", "callernum")
CUSTOMERS = {
    "customer_email": "email",
    "customer_name": "full_name",
    "customer_city": "city",
    "customer_state": "state",
    "customer_zip": "zip",
    "callername": "full_name",
    "callercity": "city",
    "callerstate": "state",
}
# One of these is in each of CallRail's payloads.
TRACKERS = frozenset(
    [
        "tracking_phone_number",
        "trackingnum",
        "tracker_id",
        "tracker_resource_id",
        "company_resource_id",
        "person_resource_id",
    ]
)


def is_callrail(tree: Tree) -> bool:
    """Whether it tells of a customer, and through which tracker they came."""
    customer = any(name in tree for name in NUMBERS) or isinstance(tree.get("form_data"), dict)
    return customer and not TRACKERS.isdisjoint(tree) and "lead_type" not in tree


def read_callrail(tree: Tree, path: str = "") -> Reading:
    """The customer's number, name and town, what a form asked, and the rest by its name: most is the business's."""
    leaves: list[Leaf] = []
    # Who hides the number is called Anonymous.
    number = next((name for name in NUMBERS if fits("caller_id", tree.get(name, ""))), None)
    identity = next((name for name in ("resource_id", "id") if isinstance(tree.get(name), str)), None)
    form = tree.get("form_data")
    for name, value in rest_of(tree, ["form_data"]).items():
        place = beneath(path, name)
        if name == number:
            leaves.append(told("caller_id", place, name, value, name))
        elif name == identity:
            # One to a call or a form, also when it is modified later.
            leaves.append(told("vendor_lead_id", place, name, value, name))
        elif name in CUSTOMERS:
            leaves.append(told(CUSTOMERS[name], place, name, value, name))
        else:
            leaves += walk(value, place, name, Key(name))
    if isinstance(form, dict):
        leaves += walk(form, beneath(path, "form_data"))
    return Reading("callrail", tuple(leaves))
