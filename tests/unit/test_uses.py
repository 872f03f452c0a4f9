"""How often things are used that strangers can invent."""

from datetime import timedelta

from server.lib.uses import Uses, is_due, note
from tests.api.calls import NOW

MOST = 5


def test_who_invents_for_a_day_brings_nothing_to_more_than_34_uses() -> None:
    uses: Uses = {}
    now = NOW
    while now <= NOW + timedelta(days=1):
        if is_due(uses.get("invented"), now):
            note(uses, "invented", now, MOST)
        now += timedelta(seconds=20)
    assert uses["invented"].times <= 34


def test_the_least_used_makes_room_and_of_those_the_one_that_was_not_used_for_longest() -> None:
    uses: Uses = {}
    for late, name in enumerate(["real", "real", *"abcd"]):
        assert note(uses, name, NOW + timedelta(minutes=late), MOST) is None
    assert note(uses, "a", NOW + timedelta(hours=1), MOST) is None
    assert [note(uses, name, NOW + timedelta(hours=2), MOST) for name in "ef"] == ["b", "c"]
    assert set(uses) == {"real", "a", "d", "e", "f"}


def test_what_is_new_gets_in_though_all_others_are_used_more() -> None:
    uses: Uses = {}
    for name in "aaabbbcccdddee":
        note(uses, name, NOW, MOST)
    assert note(uses, "new", NOW, MOST) == "e"
    assert set(uses) == {*"abcd", "new"}
