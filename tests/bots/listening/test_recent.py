from __future__ import annotations

from dataclasses import replace
from typing import Any

from bots.listening.events import Edited, Overheard, Said
from bots.listening.recent import BEGINNING, LONGEST, MOST_IN_ONE, Recent, Remark, Stand
from bots.reply.note import Note
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


def said(position: int, **more: Any) -> Said:
    return Said(replace(remark(position).question, **more), Note(None), position)


def test_from_the_first_message_of_a_connection_on_nothing_is_missing() -> None:
    recent = Recent()
    recent.connected(10)
    recent.hear(Overheard(said(5)))  # missed, and read back
    assert recent.whole_from("t") is None
    recent.hear(Overheard(Edited(said(4).question, Note(None), 12)))
    assert recent.whole_from("t") is None
    recent.hear(Overheard(said(13)))
    recent.hear(said(14))
    assert recent.whole_from("t") == 13
    recent.connected(20)
    assert recent.whole_from("t") is None


def test_a_thread_that_was_seen_to_begin_is_whole() -> None:
    recent = Recent(stands=lambda heard: Stand(ThreadId("channel"), heard.position, begins=True))
    recent.connected(1)
    recent.hear(Overheard(said(2)))
    assert (recent.whole_from("channel"), recent.whole_from("t")) == (2, BEGINNING)
    assert recent.of("channel") == recent.of("t")
    for position in range(3, MOST_IN_ONE + 3):
        recent.add("t", remark(position))
    assert recent.whole_from("t") == 3


def test_where_not_all_is_told_nothing_is_whole() -> None:
    recent = Recent(is_told_all=lambda _: False)
    recent.hear(said(1))
    assert recent.whole_from("t") is None


def test_what_was_read_closes_the_gap_before_what_was_heard() -> None:
    recent = Recent()
    recent.learn("t", [remark(1)], whole_from=BEGINNING, before=5)
    assert recent.of("t") == []
    recent.hear(said(5))
    recent.learn("t", [remark(1)], whole_from=BEGINNING, before=4)
    assert recent.whole_from("t") == 5
    recent.learn("t", [remark(1), remark(2)], whole_from=BEGINNING, before=5)
    assert recent.whole_from("t") == BEGINNING
    assert [one.position for one in recent.of("t")] == [1, 2, 5]


def test_a_private_question_is_not_remembered() -> None:
    recent = Recent()
    recent.hear(said(1, is_private=True))
    assert recent.of("t") == []


def test_what_is_known_to_be_deleted_before_it_is_heard_is_not_remembered() -> None:
    recent = Recent()
    gone = remark(1).question
    recent.forget(gone.key)
    recent.hear(Said(gone, Note(None), 1))
    assert recent.of(THREAD.id) == []
