from __future__ import annotations

from dataclasses import replace

from bots.listening.recent import LONGEST, MOST_IN_ONE, Recent, Remark
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey

THREAD = Thread(ThreadId("t"), "chat", (PlaceId("w"),))


def remark(position: int, text: str = "words") -> Remark:
    return Remark(position, Question(QuestionKey(f"k{position}"), THREAD, "ada", text))


def test_what_was_said_comes_in_order_with_edits_and_without_what_was_deleted() -> None:
    recent = Recent()
    for position in (2, 1, 3):
        recent.add("here", remark(position))
    recent.add("here", remark(2, "edited"))
    recent.forget(QuestionKey("k3"))
    assert [(one.position, one.question.text) for one in recent.of("here")] == [(1, "words"), (2, "edited")]
    assert recent.of("elsewhere") == []


def test_it_is_bounded_in_a_place_and_over_all() -> None:
    recent = Recent(most_characters=LONGEST * 3)
    for position in range(MOST_IN_ONE + 5):
        recent.add("busy", remark(position, "x"))
    assert next(one.position for one in recent.of("busy")) == 5
    for number in range(4):
        one = remark(number, "x" * LONGEST * 2)
        recent.add(number, replace(one, question=replace(one.question, key=QuestionKey(f"big{number}"))))
    assert [bool(recent.of(place)) for place in ("busy", 0, 1, 2, 3)] == [False, False, True, True, True]
