"""Decides what a thread should show of a turn: its answer in pages, what went wrong, the aside, the buttons. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bots.reply.opening import asked
from bots.reply.page import MOST_PAGES, STILL_AT_IT, Button, Page, Wish
from bots.text.reasoning import visible
from core.language import marked, say, say_n
from core.turn import Status
from core.upstream.errors import EmptyAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bots.reply.note import Message, Note
    from core.turn import Turn

FILE_NAME = "answer.md"
IN_THE_FILE = marked("That is too long to show it all here: the file {file} has all that I wrote.")
NOT_IN_A_FILE = marked(
    "That is too long to show it all here, and I can't add the rest: I'm not allowed to share files here."
)
PROBLEM = "⚠️"  # before what went wrong, so that nobody takes it for a part of the answer
TRY_AGAIN, ANSWER_EDITED, SHARE = marked("Try again"), marked("Answer the edited question"), marked("Share")
STOP, INSTEAD = marked("Stop"), marked("Answer this instead")
GOOD, BAD, CONTINUE, RETRY, MORE = "👍", "👎", marked("Continue"), marked("Retry"), marked("More")
STOPPED = marked("Stopped.")
STOPPED_BY_ANOTHER = marked("Stopped by someone who manages this channel.")
NOT_BEGUN = marked("Stopped before I wrote anything.")
WAITING = marked("You're next: I'm still answering what was asked here before.")


class Renderer(Protocol):
    """A platform's markup and limits, for one turn."""

    @property
    def plainest(self) -> int:
        """The number of times that a refused page can be made plainer."""

    @property
    def drops_buttons(self) -> bool:
        """Can a button be taken off a message without writing its words again?"""

    @property
    def opening(self) -> str:
        """Markdown that stands above the answer, whether its question was seen or not."""

    @property
    def opens_alone(self) -> bool:
        """Does the opening stand in a message of its own, above those of the answer?"""

    @property
    def shares(self) -> bool:
        """Is there a place where a private answer can be shown to others?"""

    @property
    def offers(self) -> bool:
        """Are people offered what they can do with a finished answer?"""

    @property
    def reopens(self) -> bool:
        """Can an answer be written again there, long after it was finished?"""

    @property
    def silence(self) -> str:
        """Markdown for a turn that is over and says nothing; empty: that shows nothing."""

    def pages(
        self, text: str, *, streaming: bool = False, plainness: int = 0, most: int | None = None
    ) -> Sequence[str]:
        """Return *text*, or as much of it as has come (*streaming*), in messages; none if there is nothing to show.

        Nobody looks at more than *most* of them.
        """

    def fits(self, page: Page, plainness: int) -> bool:
        """Does the platform take all of *page* in one message?"""


def wanted(turn: Turn, note: Note[Any], renderer: Renderer, most: int = MOST_PAGES) -> list[Page | None]:
    """Return what each message should show, *most* of them the answer; None stays as it is, and messages beyond go."""
    if turn.is_withdrawn:
        return []
    if note.is_full and not turn.is_over:
        return [None] * len(note.messages)
    if renderer.opens_alone:
        opening = renderer.pages(_opening(turn, renderer), plainness=note.plainness)
        return [Page(opening[0]), *_answer(turn, note, note.messages[1:], renderer, most)]
    return _answer(turn, note, note.messages, renderer, most)


def _answer(
    turn: Turn, note: Note[Any], messages: Sequence[Message], renderer: Renderer, most: int
) -> list[Page | None]:
    """Return what each of *messages*, and of those to come, should show of the answer."""
    pages: list[Page | None] = [*_pages(turn, note, renderer, most)]
    last: list[Page | None] = []
    if pages and turn.is_over:
        if turn.status is not Status.STOPPED or any(page and page.has_words for page in pages):
            return pages
        pages, last = [], pages  # what an earlier process had written stays, and it stands below that
    # While an answer is written again, after a restart or a click, what it had before stays until it is overwritten.
    is_silent = not pages
    if pages and len(pages) <= len(messages) and _is_behind(pages[-1], messages[len(pages) - 1]):
        pages[-1] = None  # people have read more of it
    for message in messages[len(pages) :]:
        if message.is_aside or (message.has_footer and not renderer.drops_buttons):
            # What it says no longer holds, and what it will say isn't there yet.
            if is_silent and not turn.is_over:
                stop = tuple(_buttons(turn, renderer))
                pages.append(Page(aside=STILL_AT_IT, buttons=stop, is_aside=True))
            break
        is_left = message.has_stop and turn.is_over and renderer.drops_buttons
        pages.append(Page(None) if message.has_footer or is_left else None)
    if pages and last:  # the words are there, if nobody knows them any more
        last = [page and replace(page, aside=_stopped(turn, has_words=True)) for page in last]
    return pages + last


def _is_behind(page: Page | None, message: Message) -> bool:
    """Would *message*, with the end of what has come of the answer, show less than it does?"""
    return page is not None and not page.is_aside and len(page.text or "") < message.length


def in_a_file(turn: Turn, note: Note[Any], renderer: Renderer, most: int = MOST_PAGES) -> str:
    """Return the answer, as Markdown, if it has more than *most* pages, else nothing."""
    return visible(_said(turn)) if not turn.is_withdrawn and goes_on(turn, note, renderer, most) else ""


def goes_on(turn: Turn, note: Note[Any], renderer: Renderer, most: int) -> bool:
    """Has what has come of the answer more than *most* pages?"""
    return len(_body(turn, note.plainness, renderer, most)) > most


def _said(turn: Turn) -> str:
    """Return what has come of the answer; reasoning that was not ended is no part of one that broke off."""
    is_whole = turn.status is Status.ANSWERED or not turn.is_over
    return turn.answer if is_whole else visible(turn.answer, streaming=True)


def _body(turn: Turn, plainness: int, renderer: Renderer, most: int) -> Sequence[str]:
    """Return the pages of the answer alone, none as long as there is nothing to read; one more than *most* at the most."""
    streaming = not turn.is_over
    pages = partial(renderer.pages, streaming=streaming, plainness=plainness, most=most + 1)
    body = pages(_said(turn))
    if not body or renderer.opens_alone or not (opening := _opening(turn, renderer)):
        return body
    # What is no part of the answer is left out before there is a part of the page that is none.
    said = visible(_said(turn), streaming=streaming)
    return pages(f"{opening}\n\n{said}")


def _opening(turn: Turn, renderer: Renderer) -> str:
    return renderer.opening or (asked(turn.question) if turn.question.is_unseen else "")


def _pages(turn: Turn, note: Note[Any], renderer: Renderer, most: int) -> list[Page]:
    plainness = note.plainness
    paged = partial(renderer.pages, plainness=plainness)
    body, problem = _body(turn, plainness, renderer, most), paged(_marked(turn.problem))
    if turn.status is Status.ANSWERED and not body:
        problem = paged(_marked(EmptyAnswer().sentence))  # it had reasoning, and no more
    is_aside, aside = (
        not (body or problem),
        " ".join(filter(None, (turn.aside.strip(), _stopped(turn, has_words=bool(body))))),
    )
    if is_aside and turn.is_over:
        # How it went while people waited is of no interest any more.
        is_aside, aside = False, _stopped(turn, has_words=bool(body))
        body = () if aside else paged(renderer.silence)
    elif not body and (aside or problem) and not renderer.opens_alone and (opening := _opening(turn, renderer)):
        body = paged(opening, streaming=not turn.is_over)
    if len(body) > most:
        body = body[:most]
        if turn.is_over:
            has_file = bool(note.file.id or not note.file.digest)
            rest = say(IN_THE_FILE, file=FILE_NAME) if has_file else say(NOT_IN_A_FILE)
            aside = f"{aside} {rest}".lstrip()
    pages = _with_problem([Page(text, is_aside=is_aside) for text in body], problem, plainness, renderer)
    if aside:
        pages = _with_aside(pages, Page(aside=aside, is_aside=is_aside), turn, plainness, renderer)
    if pages:
        pages[-1] = replace(pages[-1], buttons=tuple(_buttons(turn, renderer)))
    return pages


def where_it_stands(before: int) -> str:
    """Say how many questions are before one that waits."""
    if before > 1:
        return say_n("{n} question is ahead of yours.", "{n} questions are ahead of yours.", before)
    return say(WAITING)


def instead(turn: Turn) -> Button:
    """Offer to answer *turn*, which waits, instead of what its asker asked before."""
    return Button(say(INSTEAD), turn.attempt, Wish.INSTEAD)


def _stopped(turn: Turn, *, has_words: bool) -> str:
    """Say that it was stopped; told to be quiet, the bot says no word of what it had not begun to write."""
    if turn.status is not Status.STOPPED or not (has_words or turn.stopped_by):
        return ""
    if turn.stopped_by not in ("", turn.question.asker):
        return say(STOPPED_BY_ANOTHER)
    return say(STOPPED if has_words else NOT_BEGUN)


def _buttons(turn: Turn, renderer: Renderer) -> Iterator[Button]:
    """Say what people are offered under the last message, in that order: five at the most, or six if it is private."""
    if not turn.is_over:
        yield Button(say(STOP), turn.attempt, Wish.STOP)
    is_finished = turn.is_over and turn.is_answered and renderer.offers
    if is_finished:
        yield Button(GOOD, turn.attempt, Wish.GOOD, lasts=True)
        yield Button(BAD, turn.attempt, Wish.BAD, lasts=True)
        if turn.may_go_on and renderer.reopens:
            yield Button(say(CONTINUE), turn.attempt, Wish.CONTINUE, lasts=True)
    if turn.offers_again:
        yield Button(say(ANSWER_EDITED if turn.revised else TRY_AGAIN), turn.attempt, helps_at=turn.helps_at)
    elif is_finished and renderer.reopens:
        yield Button(say(RETRY), turn.attempt, lasts=True)
    if turn.offers_share and renderer.shares:
        yield Button(say(SHARE), turn.attempt, Wish.SHARE)
    if is_finished:
        yield Button(say(MORE), turn.attempt, Wish.MORE, lasts=True)


def _marked(problem: str) -> str:
    return f"{PROBLEM} {problem}" if problem else ""


def _with_problem(pages: list[Page], problem: Sequence[str], plainness: int, renderer: Renderer) -> list[Page]:
    """Put the problem under the answer: in the same message if there is room."""
    more = [Page(text) for text in problem]
    if pages and problem and renderer.fits(together := replace(pages[-1], under=problem[0]), plainness):
        return [*pages[:-1], together, *more[1:]]
    return pages + more


def _with_aside(pages: list[Page], alone: Page, turn: Turn, plainness: int, renderer: Renderer) -> list[Page]:
    """Put the aside under all that is said. It may vanish again, so that no message is begun for it on the way."""
    if pages and renderer.fits(together := replace(pages[-1], aside=alone.aside), plainness):
        return [*pages[:-1], together]
    return [*pages, alone] if turn.is_over or not pages else pages
