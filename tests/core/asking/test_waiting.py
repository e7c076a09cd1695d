from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.asking.waiting import Waiting
from core.thread import PlaceId, Thread, ThreadId

threads = st.builds(
    lambda workspace, thread: Thread(ThreadId(f"{workspace}/{thread}"), "chat", (PlaceId(workspace),)),
    st.sampled_from("abcd"),
    st.sampled_from("123"),
)
arrivals = st.lists(st.one_of(threads, st.none()))  # None: somebody's turn has come
NEWCOMER = Thread(ThreadId("new/1"), "chat", (PlaceId("new"),))


def after(pattern: list[Thread | None]) -> tuple[Waiting[int], dict[int, Thread]]:
    """What waits after a pattern, by its number."""
    waiting, there = Waiting[int](), {}
    for number, thread in enumerate(pattern):
        if thread is not None:
            waiting.join(thread, number)
            there[number] = thread
        elif len(waiting):
            del there[waiting.next()]
    return waiting, there


@given(arrivals, arrivals)
def test_a_workspace_with_one_question_waits_for_one_turn_of_each_other_at_most(
    earlier: list[Thread | None], later: list[Thread | None]
) -> None:
    waiting, there = after(earlier)
    others = {thread.workspace for thread in there.values()}
    waiting.join(NEWCOMER, -1)
    turns = 0
    for number, thread in enumerate([*later, *[None] * (len(others) + 1)], len(earlier)):
        if thread is not None:
            waiting.join(thread, number)
        elif waiting.next() == -1:
            break
        else:
            turns += 1
    assert turns <= len(others)


@given(arrivals)
def test_who_waits_knows_how_many_are_before(pattern: list[Thread | None]) -> None:
    waiting, there = after(pattern)
    promised = {number: waiting.before(thread, number) for number, thread in there.items()}
    assert {waiting.next(): place for place in range(len(there))} == promised
    assert len(waiting) == 0


@given(arrivals, st.data())
def test_who_leaves_makes_room_and_nobody_else_is_lost(pattern: list[Thread | None], data: st.DataObject) -> None:
    waiting, there = after(pattern)
    leaving = data.draw(st.sets(st.sampled_from(sorted(there)))) if there else set()
    for number in leaving:
        waiting.leave(there[number], number)
    assert {waiting.next() for _ in range(len(waiting))} == set(there) - leaving


def test_a_busy_thread_lets_the_others_of_its_workspace_in_between() -> None:
    waiting = Waiting[str]()
    busy, quiet = (Thread(ThreadId(name), "chat", (PlaceId("work"),)) for name in ("busy", "quiet"))
    for number in range(5):
        waiting.join(busy, f"busy {number}")
    waiting.join(quiet, "quiet")
    assert [waiting.next(), waiting.next()] == ["busy 0", "quiet"]


def test_questions_of_one_thread_keep_their_order() -> None:
    waiting = Waiting[int]()
    for number in range(5):
        waiting.join(NEWCOMER, number)
    assert [waiting.next() for _ in range(5)] == list(range(5))
