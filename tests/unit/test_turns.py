"""Turns: how many requests are worked on at once, and who waits without a thread."""

from server.lib.turns import Request, Turns


def request(name: str, long: bool = False) -> Request:
    return Request(name, {}, long)


def test_what_finds_no_turn_is_taken_over_in_its_order() -> None:
    turns = Turns(2)
    first, second, third, fourth = map(request, "abcd")
    assert [turns.take(each) for each in (first, second, third, fourth)] == [True, True, False, False]
    assert turns.pass_on(first) is third
    assert turns.pass_on(third) is fourth
    assert turns.pass_on(fourth) is None
    assert turns.pass_on(second) is None
    assert turns.take(first)


def test_a_long_one_that_waits_holds_no_turn() -> None:
    turns = Turns(2)
    batch, waiting, last = request("b1", long=True), request("b2", long=True), request("b3", long=True)
    assert [turns.take(each) for each in (batch, waiting, last)] == [True, False, False]
    lead = request("lead")
    assert turns.take(lead)
    assert turns.pass_on(lead) is None
    assert turns.pass_on(batch) is waiting
    assert turns.pass_on(waiting) is last
    assert turns.pass_on(last) is None
    assert turns.take(batch)


def test_after_a_long_one_it_is_anothers_turn_and_then_a_long_one_s_again() -> None:
    turns = Turns(1)
    batch, waiting, lead, later = request("b1", long=True), request("b2", long=True), request("a"), request("b")
    assert [turns.take(each) for each in (batch, waiting, lead, later)] == [True, False, False, False]
    assert turns.pass_on(batch) is lead
    assert turns.pass_on(lead) is waiting
    assert turns.pass_on(waiting) is later
