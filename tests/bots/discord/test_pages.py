"""What is to be read of a turn, in messages: answer, problem, aside, and the button below."""

from __future__ import annotations

import pytest

from bots.discord.limits import CONTENT
from bots.discord.note import Note, Post
from bots.discord.pages import ANSWER_REVISED, TRY_AGAIN, Pages, pages_of
from core.thread import Thread, ThreadId
from core.turn import Question, QuestionKey, Turn, TurnId

NOTE = Note(channel=5)
COMMAND = Note(channel=5, is_command=True, posts=(Post(0, by_token=True),))
QUESTION = Question(QuestionKey("discord:5"), Thread(ThreadId("discord:1/5"), "discord", ()), "ada", "Why?")
TURN = Turn(TurnId(1), QUESTION)
ANSWERING = TURN.start("m").grow("Because")


def texts(turn: Turn, note: Note = NOTE) -> tuple[str, ...]:
    return pages_of(turn, note).texts


def test_as_long_as_there_is_nothing_to_read_there_are_no_pages() -> None:
    assert pages_of(TURN, NOTE) == Pages()
    assert pages_of(TURN.start("m"), COMMAND) == Pages()


def test_an_answer_of_nothing_but_thoughts_is_not_silence() -> None:
    assert "empty answer" in texts(TURN.start("m").finish("<think>Hm."))[0]


def test_an_aside_is_small_and_alone_before_the_answer() -> None:
    assert pages_of(TURN.remark("Two questions\nbefore yours."), NOTE) == Pages(
        ("-# Two questions before yours.",), is_aside=True
    )


def test_an_aside_stands_under_the_answer_and_under_the_problem() -> None:
    assert texts(ANSWERING.remark("It takes long.")) == ("Because\n-# It takes long.",)
    assert texts(ANSWERING.fail("It broke.").remark("By another model.")) == (
        "Because\n\nIt broke.\n-# By another model.",
    )


def test_an_aside_stands_under_the_question_of_a_command() -> None:
    assert texts(TURN.remark("Second in line."), COMMAND) == ("> Why?\n-# Second in line.",)


def test_an_aside_pings_nobody() -> None:
    assert "@everyone" not in texts(TURN.remark("@everyone wait"))[0]


def test_for_an_aside_that_may_vanish_no_message_is_begun() -> None:
    full, line = TURN.start("m").grow("x" * (CONTENT - 100)), "It takes long. " * 10
    assert len(texts(full)) == 1
    assert texts(full.remark(line)) == texts(full)
    assert texts(full.finish(full.answer).remark(line))[1:] == (f"-# {line.strip()}",)


def test_where_only_an_aside_stood_something_small_stays_until_there_is_text() -> None:
    aside = Note(channel=5, posts=(Post(8, is_aside=True),))
    assert pages_of(TURN.start("m"), aside) == Pages(("-# …",), is_aside=True)
    assert texts(ANSWERING, aside) == ("Because",)
    assert texts(TURN.stop(), aside) == ()


def test_an_answer_that_is_done_anew_stays_until_there_is_text() -> None:
    assert texts(TURN.start("m"), Note(channel=5, posts=(Post(8),))) == ()


@pytest.mark.parametrize(
    ("turn", "label"),
    [
        (ANSWERING, ""),
        (ANSWERING.finish("Because."), ""),
        (ANSWERING.fail("It broke."), TRY_AGAIN),
    ],
)
def test_a_failure_offers_to_try_again(turn: Turn, label: str) -> None:
    assert pages_of(turn, NOTE).button == label


def test_a_revision_offers_to_answer_it_whatever_came_before() -> None:
    revised = Turn(TurnId(1), QUESTION, revised="Who?").start("m")
    assert pages_of(revised, NOTE).button == ""
    assert pages_of(revised.finish("Because."), NOTE).button == ANSWER_REVISED
    assert pages_of(revised.fail("It broke."), NOTE).button == ANSWER_REVISED
