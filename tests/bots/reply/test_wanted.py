"""What the messages of a reply should show, on a platform that writes a message only whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bots.reply.note import Message, Note
from bots.reply.page import Button, Page, Wish
from bots.reply.wanted import (
    ANSWER_EDITED,
    NOT_BEGUN,
    SHARE,
    STOP,
    STOPPED,
    STOPPED_BY_ANOTHER,
    TRY_AGAIN,
    wanted,
)
from core.thread import Thread, ThreadId
from core.turn import Question, QuestionKey, Status, Turn, TurnId

QUESTION = Question(QuestionKey("k"), Thread(ThreadId("t"), "chat", ()), "ada", "Why?")
STREAMING = Turn(TurnId(1), QUESTION, attempt=1).start("m")
CAN_STOP = (Button(STOP, 1, Wish.STOP),)
PLACEHOLDER = Page(aside="…", buttons=CAN_STOP, is_aside=True)


class Renderer:
    """Ten characters a page."""

    plainest = 0
    drops_buttons = False
    opens_alone = shares = False
    reopens = True
    offers = False
    opening = silence = ""

    def pages(self, text: str, *, streaming: bool = False, plainness: int = 0, most: int | None = None) -> list[str]:
        return [text[start : start + 10] for start in range(0, len(text), 10)][:most]

    def fits(self, page: Page, plainness: int) -> bool:
        return len(f"{page.text}{page.under}{page.aside}") <= 10


def pages(turn: Turn, *messages: Message) -> list[Page | None]:
    return wanted(turn, Note("here", messages), Renderer())


@dataclass(frozen=True)
class Alone(Renderer):
    """Says what was asked in a message of its own."""

    opens_alone: bool = True
    opening: str = "Ada: Why?"


WORDS, FOOTED, ASIDE = Message("1"), Message("2", has_footer=True), Message("3", is_aside=True)


def test_while_nothing_has_come_nothing_is_written() -> None:
    assert pages(STREAMING) == []


def test_an_answer_is_cut_into_pages() -> None:
    assert pages(STREAMING.grow("Because it is.")) == [Page("Because it"), Page(" is.", buttons=CAN_STOP)]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [("Ah", [Page("Ah", under="⚠️ Bad.")]), ("Because it", [Page("Because it"), Page("⚠️ Bad.")])],
)
def test_what_went_wrong_stands_below_where_there_is_room(answer: str, shown: list[Page]) -> None:
    last = shown.pop()
    button = Button(TRY_AGAIN, 1)
    failed = pages(STREAMING.grow(answer).fail("Bad."))
    assert failed == [*shown, Page(last.text, last.under, buttons=(button,))]


def test_for_an_aside_a_message_is_begun_only_at_the_end() -> None:
    full = STREAMING.grow("Because it").remark("Hm.")
    assert pages(full) == [Page("Because it", buttons=CAN_STOP)]
    assert pages(full.finish("Because it")) == [Page("Because it"), Page(aside="Hm.")]


def test_a_button_is_another_one_at_each_attempt() -> None:
    (first,), (second,) = (pages(Turn(TurnId(1), QUESTION, attempt=n).start("m").fail("Broken.")) for n in (1, 2))
    assert first
    assert second
    assert first.digest(0) != second.digest(0)


def test_an_edited_question_is_offered_an_answer() -> None:
    (page,) = pages(Turn(TurnId(1), QUESTION, attempt=1, revised="Who?").start("m").finish("Ah"))
    assert page == Page("Ah", buttons=(Button(ANSWER_EDITED, 1),))


# Answered again


def test_what_an_answer_had_before_stays_until_it_is_written_over() -> None:
    assert pages(STREAMING, WORDS, WORDS) == [None, None]
    assert pages(STREAMING.grow("Ah"), WORDS, WORDS) == [Page("Ah", buttons=CAN_STOP), None]
    assert pages(STREAMING.finish("Ah"), WORDS, WORDS) == [Page("Ah")]


def test_only_the_page_with_the_button_is_overwritten_at_once() -> None:
    """Failed over three pages, and asked again."""
    assert pages(STREAMING, WORDS, WORDS, FOOTED) == [None, None, PLACEHOLDER]
    assert pages(STREAMING, WORDS, WORDS, ASIDE) == [None, None, PLACEHOLDER]
    assert pages(STREAMING.grow("Ah"), WORDS, WORDS, ASIDE) == [Page("Ah", buttons=CAN_STOP), None]


def test_what_holds_no_longer_does_not_outlive_the_turn() -> None:
    assert pages(STREAMING.stop(), ASIDE) == []
    assert pages(STREAMING.stop(), WORDS, FOOTED) == [None]
    assert pages(STREAMING.stop(), WORDS) == [None]


def test_how_it_went_is_not_told_of_a_turn_that_says_nothing() -> None:
    assert pages(STREAMING.remark("Second.")) == [Page(aside="Second.", buttons=CAN_STOP, is_aside=True)]
    assert pages(STREAMING.remark("Second.").stop()) == []


# Stopped


def test_what_came_of_a_stopped_answer_stays_and_says_so() -> None:
    assert pages(STREAMING.grow("Ah").stop("ada")) == [Page("Ah", aside=STOPPED)]
    assert pages(STREAMING.grow("Ah").stop("boss")) == [Page("Ah"), Page(aside=STOPPED_BY_ANOTHER)]
    assert pages(STREAMING.grow("Ah").stop()) == [Page("Ah", aside=STOPPED)]  # told to be quiet


def test_what_was_stopped_before_a_word_came_says_so_unless_the_bot_is_to_be_quiet() -> None:
    assert pages(STREAMING.remark("Second.").stop("ada")) == [Page(aside=NOT_BEGUN)]
    assert pages(STREAMING.stop("ada"), ASIDE) == [Page(aside=NOT_BEGUN)]
    assert pages(STREAMING.stop()) == []


def test_what_an_earlier_process_had_written_of_a_stopped_answer_stays() -> None:
    half = replace(WORDS, has_stop=True, length=250)
    assert pages(STREAMING.stop("ada"), WORDS, half) == [None, None, Page(aside=STOPPED)]


def test_the_stop_of_an_answer_that_is_written_again_takes_none_of_its_words() -> None:
    assert pages(STREAMING, replace(WORDS, has_stop=True)) == [None]


def test_what_is_withdrawn_is_nowhere() -> None:
    assert wanted(Turn(TurnId(1), QUESTION, is_withdrawn=True).stop(), Note("here", (WORDS,)), Renderer()) == []


# A question that nobody has seen


UNSEEN = replace(STREAMING, question=replace(QUESTION, is_unseen=True, asker_name="A"))


def test_an_answer_whose_question_nobody_saw_begins_with_it() -> None:
    shown = [page.text if page else None for page in pages(UNSEEN.grow("Because"))]
    assert "".join(filter(None, shown)) == "**A** asked:\n> Why\\?\n\nBecause"
    assert pages(UNSEEN) == []


def test_what_went_wrong_stands_below_the_question_that_nobody_saw() -> None:
    shown = pages(UNSEEN.fail("Broken."))
    assert "".join((page.text or "") + page.under for page in shown if page) == "**A** asked:\n> Why\\?⚠️ Broken."


def test_a_model_that_seems_to_have_reasoned_takes_nothing_of_the_question_away() -> None:
    shown = pages(UNSEEN.grow("Hm.</think>\nAh").finish("Hm.</think>\nAh"))
    assert "".join(page.text or "" for page in shown if page) == "**A** asked:\n> Why\\?\n\nAh"


def test_where_the_question_stands_alone_it_does_so_before_there_is_an_answer() -> None:
    def alone(turn: Turn, *messages: Message) -> list[Page | None]:
        return wanted(turn, Note("here", messages), Alone())

    title = Page("Ada: Why?"[:10])
    assert alone(UNSEEN) == [title]
    assert alone(UNSEEN.grow("Because it is."), WORDS) == [title, Page("Because it"), Page(" is.", buttons=CAN_STOP)]
    assert alone(UNSEEN.remark("Second."), WORDS) == [title, Page(aside="Second.", buttons=CAN_STOP, is_aside=True)]
    assert alone(UNSEEN, WORDS, FOOTED) == [title, PLACEHOLDER]
    assert alone(UNSEEN.stop(), WORDS, ASIDE) == [title]
    assert alone(replace(UNSEEN, is_withdrawn=True).stop(), WORDS, WORDS) == []


# A private answer


@dataclass(frozen=True)
class Sharing(Renderer):
    shares: bool = True


def test_a_private_answer_can_be_shared_once_it_is_whole() -> None:
    private = replace(STREAMING, question=replace(QUESTION, is_private=True)).grow("Ah")

    def button(turn: Turn, renderer: Renderer) -> Button | None:
        (page,) = wanted(turn, Note("here"), renderer)
        assert page
        return page.buttons[0] if page.buttons else None

    assert button(private.finish("Ah"), Sharing()) == Button(SHARE, 1, Wish.SHARE)
    assert button(private.finish("Ah"), Renderer()) is None
    assert button(private, Sharing()) == CAN_STOP[0]
    assert button(private.stop(), Sharing()) is None
    assert button(STREAMING.finish("Ah"), Sharing()) is None
    assert button(replace(private, revised="Who?").finish("Ah"), Sharing()) == Button(ANSWER_EDITED, 1)


def test_no_other_try_is_offered_where_it_would_fail_again() -> None:
    failed = STREAMING.fail("Bad.", is_final=True)
    assert [page.buttons for page in pages(failed) if page] == [()]
    offered = pages(replace(failed, revised="Why not?"))
    assert [one.label for page in offered if page for one in page.buttons] == [ANSWER_EDITED]
    assert pages(replace(failed, status=Status.QUEUED).start("m").fail("Bad."))[-1] == Page(
        "⚠️ Bad.", buttons=(Button(TRY_AGAIN, 1),)
    )
