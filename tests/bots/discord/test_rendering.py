"""What is to be read of a turn, in messages: answer, problem, aside, and the button below."""

from __future__ import annotations

import pytest

from bots.discord.limits import CONTENT
from bots.discord.note import ORIGINAL, Where
from bots.discord.rendering import DiscordRenderer, content
from bots.reply.note import Message, Note
from bots.reply.page import Button, Page, Wish
from bots.reply.wanted import ANSWER_EDITED, STOP, TRY_AGAIN, wanted
from core.thread import Thread, ThreadId
from core.turn import Question, QuestionKey, Turn, TurnId

NOTE = Note(Where(channel=5))
COMMAND = Note(Where(channel=5, is_command=True), (Message(ORIGINAL),))
QUESTION = Question(QuestionKey("discord:5"), Thread(ThreadId("discord:1/5"), "discord", ()), "ada", "Why?")
TURN = Turn(TurnId(1), QUESTION)
ANSWERING = TURN.start("m").grow("Because")


def pages_of(turn: Turn, note: Note[Where]) -> list[Page | None]:
    return wanted(turn, note, DiscordRenderer(turn, note))


def texts(turn: Turn, note: Note[Where] = NOTE) -> tuple[str, ...]:
    return tuple(content(page) for page in pages_of(turn, note) if page)


def test_as_long_as_there_is_nothing_to_read_there_are_no_pages() -> None:
    assert pages_of(TURN, NOTE) == []
    assert pages_of(TURN.start("m"), COMMAND) == [None]


def test_an_answer_of_nothing_but_reasoning_is_not_silence() -> None:
    assert "empty answer" in texts(TURN.start("m").finish("<think>Hm.</think>"))[0]


def test_reasoning_is_no_part_of_an_answer_that_broke_off() -> None:
    assert texts(TURN.start("m").grow("<think>Hm").fail("It broke.")) == ("⚠️ It broke.",)


def test_an_aside_is_small_and_alone_before_the_answer() -> None:
    (page,) = pages_of(TURN.remark("Two questions\nbefore yours."), NOTE)
    assert page
    assert page.is_aside
    assert content(page) == "-# Two questions before yours."


def test_an_aside_stands_under_the_answer_and_under_the_problem() -> None:
    assert texts(ANSWERING.remark("It takes long.")) == ("Because\n-# It takes long.",)
    assert texts(ANSWERING.fail("It broke.").remark("By another model.")) == (
        "Because\n\n-# ⚠️ It broke.\n-# By another model.",
    )


def test_an_aside_stands_under_the_question_of_a_command() -> None:
    assert texts(TURN.remark("Second in line."), COMMAND) == ("> Why?\n-# Second in line.",)


def test_an_aside_pings_nobody() -> None:
    assert texts(TURN.remark("@everyone wait")) == ("-# \\@everyone wait",)


def test_for_an_aside_that_may_vanish_no_message_is_begun() -> None:
    full, line = TURN.start("m").grow("x" * (CONTENT - 100)), "It takes long. " * 10
    assert len(texts(full)) == 1
    assert texts(full.remark(line)) == texts(full)
    assert texts(full.finish(full.answer).remark(line))[1:] == (f"-# {line.strip()}",)


def test_where_only_an_aside_stood_something_small_stays_until_there_is_text() -> None:
    aside = Note(Where(channel=5), (Message("8", is_aside=True),))
    (page,) = pages_of(TURN.start("m"), aside)
    assert page
    assert page.is_aside
    assert content(page) == "-# …"
    assert texts(ANSWERING, aside) == ("Because",)
    assert pages_of(TURN.stop(), aside) == []


def test_an_answer_that_is_done_anew_stays_until_there_is_text() -> None:
    assert pages_of(TURN.start("m"), Note(Where(channel=5), (Message("8"), Message("9")))) == [None, None]


def test_a_button_goes_at_once_where_an_answer_is_done_anew() -> None:
    failed = Note(Where(channel=5), (Message("8"), Message("9", has_footer=True)))
    assert pages_of(TURN.start("m"), failed) == [None, Page(None)]
    assert pages_of(ANSWERING, failed) == [Page("Because", buttons=(Button(STOP, 0, Wish.STOP),)), Page(None)]


@pytest.mark.parametrize(
    ("turn", "label"),
    [
        (ANSWERING.finish("Because."), ""),
        (ANSWERING.fail("It broke."), TRY_AGAIN),
    ],
)
def test_a_failure_offers_to_try_again(turn: Turn, label: str) -> None:
    (page,) = pages_of(turn, NOTE)
    assert page
    assert page.buttons == ((Button(label, turn.attempt),) if label else ())


def test_a_revision_offers_to_answer_it_whatever_came_before() -> None:
    revised = Turn(TurnId(1), QUESTION, revised="Who?").start("m")
    assert pages_of(revised, NOTE) == []
    for turn in (revised.finish("Because."), revised.fail("It broke.")):
        (page,) = pages_of(turn, NOTE)
        assert page
        assert page.buttons == (Button(ANSWER_EDITED, turn.attempt),)


@pytest.mark.parametrize(
    "came",
    [
        "## Next",
        "- one\n- two",
        "```py\nx = 1",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "> said",
        "1. one\n   - two",
        "**bol",
        "a\n\nb\n---",
    ],
)
def test_what_went_wrong_is_no_part_of_what_came(came: str) -> None:
    [shown] = texts(TURN.start("m").grow(came).fail("It broke. (Reference: `7KQ2`)"))
    above, _, problem = shown.rpartition("\n")
    assert problem == "-# ⚠️ It broke. (Reference: `7KQ2`)"
    assert above.endswith("\n")
    assert above.count("```") % 2 == 0
