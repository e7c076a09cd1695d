from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.asking.waiting import Place, Waiting

places = st.builds(Place, st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from("123"))
arrivals = st.lists(st.one_of(places, st.none()))  # None: somebody's turn has come
NEWCOMER = Place("new", "ada", "1")


def after(pattern: list[Place | None]) -> tuple[Waiting[int], dict[int, Place]]:
    """What waits after a pattern, by its number."""
    waiting, there = Waiting[int](), {}
    for number, place in enumerate(pattern):
        if place is not None:
            waiting.join(place, number)
            there[number] = place
        elif len(waiting):
            del there[waiting.next()]
    return waiting, there


def turns_before(newcomer: Place, earlier: list[Place | None], later: list[Place | None]) -> int:
    """How many have their turn before somebody who comes after *earlier*, while *later* goes on."""
    waiting, there = after(earlier)
    waiting.join(newcomer, -1)
    turns = 0
    for number, place in enumerate([*later, *[None] * (len(there) + len(later) + 1)], len(earlier)):
        if place is not None:
            waiting.join(place, number)
        elif waiting.next() == -1:
            return turns
        else:
            turns += 1
    raise AssertionError("never")


@given(arrivals, arrivals)
def test_a_workspace_with_one_question_waits_for_one_turn_of_each_other_at_most(
    earlier: list[Place | None], later: list[Place | None]
) -> None:
    others = {place.workspace for place in after(earlier)[1].values()}
    assert turns_before(NEWCOMER, earlier, later) <= len(others)


@given(arrivals, arrivals)
def test_a_person_with_one_question_waits_for_one_turn_of_each_other_at_most(
    earlier: list[Place | None], later: list[Place | None]
) -> None:
    """In a workspace of its own: between two of these, every other workspace may have one."""
    here = [place and place._replace(workspace="a") for place in earlier]
    then = [place and place._replace(workspace="a") for place in later]
    others = {place.person for place in after(here)[1].values()}
    assert turns_before(Place("a", "new", "1"), here, then) <= len(others)


@given(arrivals)
def test_who_waits_knows_how_many_are_before(pattern: list[Place | None]) -> None:
    waiting, there = after(pattern)
    promised = {number: waiting.before(place, number) for number, place in there.items()}
    assert {waiting.next(): rank for rank in range(len(there))} == promised
    assert len(waiting) == 0


@given(arrivals, st.data())
def test_who_leaves_makes_room_and_nobody_else_is_lost(pattern: list[Place | None], data: st.DataObject) -> None:
    waiting, there = after(pattern)
    leaving = data.draw(st.sets(st.sampled_from(sorted(there)))) if there else set()
    for number in leaving:
        waiting.leave(there[number], number)
    assert {waiting.next() for _ in range(len(waiting))} == set(there) - leaving


def test_a_person_with_many_threads_lets_the_others_of_the_workspace_in_between() -> None:
    waiting = Waiting[str]()
    for number in range(5):
        waiting.join(Place("work", "ada", f"thread {number}"), f"ada {number}")
    waiting.join(Place("work", "ben", "thread 5"), "ben")
    assert [waiting.next(), waiting.next()] == ["ada 0", "ben"]


def test_a_persons_busy_thread_lets_their_others_in_between() -> None:
    waiting = Waiting[str]()
    for number in range(5):
        waiting.join(Place("work", "ada", "busy"), f"busy {number}")
    waiting.join(Place("work", "ada", "quiet"), "quiet")
    assert [waiting.next(), waiting.next()] == ["busy 0", "quiet"]


def test_questions_of_one_thread_keep_their_order() -> None:
    waiting = Waiting[int]()
    for number in range(5):
        waiting.join(NEWCOMER, number)
    assert [waiting.next() for _ in range(5)] == list(range(5))
