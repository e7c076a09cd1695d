"""Tells what was said before a question: from memory where all of it was heard, else read, usually with one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bots.listening.recent import BEGINNING
from core.commands import given_in
from core.context import Earlier
from core.context import Remark as Told
from core.errors import ChatError
from core.turn import QuestionKey

if TYPE_CHECKING:
    from bots.listening.recent import Recent, Remark
    from core.thread import ThreadId

# Mentioned at a channel's root, the bot is called into what is being said there. A channel has no beginning, so this is a
# guess at one: what people who come in late would scroll back to. Older or more, it is seldom about the question, which
# it costs time and money.
MOST_OF_CHANNEL = 20  # messages
CHANNEL_WITHIN = 3600  # seconds
MOST_OF_THREAD = 100  # messages; the newest ones of a long one

TITLE = QuestionKey("")  # which nobody can ask
# By the platform's ids of people.
Names = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]


async def nobodys(_: Collection[str]) -> Mapping[str, str]:
    """Know nobody's name."""
    return {}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Messages of one place: the newest *most* between two positions, both of which are not part of it."""

    place: ThreadId  # a channel, or a thread in one
    after: int
    before: int
    most: int = MOST_OF_THREAD

    @property
    def is_whole(self) -> bool:
        """Does it begin with the first message of its place?"""
        return self.after <= BEGINNING


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a stretch that was read."""

    remarks: Sequence[Remark]  # oldest first
    whole_from: int  # from this position on, nothing is missing
    head: Remark | None = None  # of a thread that is wanted whole: what it was made from, if that was read
    left_out: int = 0  # messages between head and remarks, known to be there
    problem: str = ""  # a sentence for people: why that may not be all, and who can change that


class Reader(Protocol):
    """The platform's part: it reads messages."""

    async def read(self, stretch: Stretch) -> Page:
        """Ask the platform. Raises a ChatError."""

    def problem(self, error: ChatError, stretch: Stretch) -> str | None:
        """Return a sentence for people: why *stretch* can't be read, and who can change that.

        Empty where that is not worth a word; None if nobody knows.
        """


@dataclass(frozen=True, slots=True)
class Wanted:
    """The messages that belong before a question."""

    stretch: Stretch
    # What was said before the first message of a thread, if that called the bot: they hang together.
    lead: Stretch | None = None
    title: str = ""  # of a post


class History:
    """The history of one chat."""

    def __init__(self, recent: Recent, reader: Reader, names: Names = nobodys) -> None:
        self._recent = recent
        self._reader = reader
        self._names = names

    async def earlier(self, wanted: Wanted, most_characters: int) -> Earlier:
        """Return what was said, more than *most_characters* of the newest left out. Raises a ChatError."""
        page = await self._page(wanted.stretch, most_characters)
        pages = [page]
        if wanted.lead and page.head and page.head.is_asked:
            pages.insert(0, await self._page(wanted.lead, most_characters))
        return await self._told(pages, wanted.title, is_more=page.whole_from > wanted.stretch.after + 1)

    async def _page(self, stretch: Stretch, most_characters: int) -> Page:
        """Raises a ChatError."""
        if remembered := self._remembered(stretch, most_characters):
            return remembered
        connections = self._recent.connections
        try:
            page = await self._reader.read(stretch)
        except ChatError as error:
            problem = self._reader.problem(error, stretch)
            if problem is None:
                raise
            return self._at_least(stretch, problem)
        if connections == self._recent.connections:
            read = [*filter(None, [page.head]), *page.remarks]
            self._recent.learn(stretch.place, read, whole_from=page.whole_from, before=stretch.before)
        return page

    def _remembered(self, stretch: Stretch, most_characters: int) -> Page | None:
        """Return it if all of it was heard, or as much as there is room for."""
        whole_from = self._recent.whole_from(stretch.place)
        if whole_from is None or whole_from >= stretch.before:
            return None
        said = [one for one in self._of(stretch) if one.position >= whole_from]
        if stretch.is_whole:
            return Page(said[1:], whole_from, said[0] if said else None) if whole_from == BEGINNING else None
        if whole_from <= stretch.after + 1:
            newest = said[-stretch.most :]
            return Page(newest, whole_from, left_out=len(said) - len(newest))
        is_enough = len(said) >= stretch.most or sum(one.size for one in said) >= most_characters
        return Page(said[-stretch.most :], whole_from) if is_enough else None

    def _at_least(self, stretch: Stretch, problem: str) -> Page:
        """Return what is remembered of it, for want of more."""
        return Page(self._of(stretch)[-stretch.most :], stretch.before, problem=problem)

    def _of(self, stretch: Stretch) -> list[Remark]:
        return [one for one in self._recent.of(stretch.place) if stretch.after < one.position < stretch.before]

    async def _told(self, pages: Sequence[Page], title: str, *, is_more: bool) -> Earlier:
        heads = [page.head for page in pages if page.head]
        said = [one for page in pages for one in page.remarks]
        if len(pages) > 1:  # what a thread was made from was said after what led to it
            said, heads = sorted([*said, *heads], key=lambda one: one.position), []
        said = [one for one in said if not (one.is_asked and given_in(one.question))]  # a command says nothing
        nameless = {one.question.asker for one in (*heads, *said) if not one.question.asker_name}
        names = await self._names(nameless) if nameless else {}
        titles = [Told(TITLE, "", title, is_title=True)] if title else []
        return Earlier(
            tuple(_told(one, names) for one in said),
            head=(*titles, *(_told(one, names) for one in heads)),
            left_out=sum(page.left_out for page in pages),
            is_more=is_more,
            problem=next((page.problem for page in pages if page.problem), ""),
        )


def _told(remark: Remark, names: Mapping[str, str]) -> Told:
    question = remark.question
    return Told(
        key=question.key,
        author=question.asker,
        text="\n".join(filter(None, (question.text, *(quote.text for quote in question.quotes)))),
        name=question.asker_name or names.get(question.asker, ""),
        is_bots=remark.is_bots,
        files=tuple(one.name or one.kind for one in question.attachments),
        is_question=remark.is_asked,
    )
