"""What is remembered of a reply, and when the memory may be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bots.reply.note import MOST_KEPT, Message, Note, Notes
from bots.reply.page import Page
from core.thread import Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Turn, TurnId


@dataclass(frozen=True, slots=True)
class Where:
    place: str


QUESTION = Question(QuestionKey("k"), Thread(ThreadId("t"), "chat", ()), "ada", "Why?")
NOTE = Note(Where("here"), (Message("7", "digest"), Message("8", "digest", has_footer=True)))
TURN = Turn(TurnId(1), QUESTION, attempt=1, reply=Note(Where("here")).write())


def test_a_note_outlives_the_process() -> None:
    assert Notes(Where).read(NOTE.write()) == NOTE.forgetting_what_is_shown()
    assert Notes(Where).read(NOTE.write(is_final=True)) == NOTE


def test_a_note_stays_the_same_while_the_same_messages_grow() -> None:
    """So that an update of what is shown need not be saved; the ids of the messages are what a restart needs."""
    assert NOTE.placed(0, Message("7", "another")).write() == NOTE.write()
    assert NOTE.placed(2, Message("9")).write() != NOTE.write()


def test_what_is_only_of_this_process_is_not_written() -> None:
    assert replace(NOTE, tried=Page("half"), refusals=2).write() == NOTE.write()


@pytest.mark.parametrize("stored", ["", "{}", "[]", "5", '{"where":5}', '{"where":{}}', '{"where":{"place":[]}}'])
def test_what_is_no_note_is_refused(stored: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Notes(Where).read(Reply(stored))


def test_what_an_attempt_has_shown_is_known_to_it() -> None:
    notes = Notes(Where)
    notes.keep(TURN, NOTE)
    assert notes.newest(TURN) == NOTE


def test_the_next_attempt_knows_it_as_well_though_it_was_never_saved() -> None:
    """Nobody else can have shown the turn between the two."""
    notes = Notes(Where)
    notes.keep(TURN, NOTE)
    assert notes.newest(replace(TURN, attempt=2)) == replace(NOTE, complete_for=2)


def test_where_a_post_is_in_doubt_it_stays_in_doubt() -> None:
    notes = Notes(Where)
    notes.keep(TURN, replace(NOTE, complete_for=-1))
    assert notes.newest(replace(TURN, attempt=2)).complete_for == -1


def test_once_another_process_may_have_written_there_only_the_messages_are_known() -> None:
    """Equal notes do not say that the messages show the same."""
    notes = Notes(Where)
    notes.keep(TURN, NOTE)
    assert notes.newest(replace(TURN, attempt=3, reply=NOTE.write())) == NOTE.forgetting_what_is_shown()


def test_a_note_that_another_process_has_saved_counts() -> None:
    notes, theirs = Notes(Where), NOTE.placed(2, Message("9", "digest"))
    notes.keep(TURN, NOTE)
    assert notes.newest(replace(TURN, attempt=3, reply=theirs.write(is_final=True))) == theirs


def test_memory_is_bounded() -> None:
    notes = Notes(Where)
    for number in range(MOST_KEPT + 1):
        notes.keep(replace(TURN, id=TurnId(number)), NOTE)
    assert len(notes._kept) == MOST_KEPT
    assert notes.newest(replace(TURN, id=TurnId(0))) == Note(Where("here"))
