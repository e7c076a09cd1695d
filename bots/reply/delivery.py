"""Makes the messages of a reply show what they should, without rewriting what is already there.

A platform lends it hands. What only looks like a failure is survived: a post that nobody knows the outcome of is looked
for before it is tried again, a message that can't be edited any more is followed by another, and what the platform
refuses as it is goes out plainer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

import structlog

from bots.reply.note import NO_FILE, File, Message, Note
from bots.reply.page import MOST_PAGES, Wish
from bots.reply.wanted import FILE_NAME, goes_on, in_a_file, wanted
from core.errors import (
    AnswerDeleted,
    ChatBusy,
    ChatClosed,
    ChatError,
    ChatForbidden,
    ChatLimited,
    PayloadRefused,
    RefusalUnclear,
    ThreadGone,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from bots.reply.page import Page
    from bots.reply.wanted import Renderer
    from core.turn import Turn

MOST_FILE_TRIES = 3  # the words of the messages are there; the next question need not wait for a file

log = structlog.get_logger(__name__)

T = TypeVar("T")
W = TypeVar("W")
Deed = Literal["post", "edit", "delete"]


class Hands(Protocol[W]):
    """The platform's part in one call of `show`. Its coroutines raise ChatError, and nothing else."""

    where: W  # the place; any call may change it, as when a thread is made

    async def prepare(self, deed: Deed) -> None:
        """Wait until *deed* may be done, and see that there is a place for it."""

    async def post(self, number: int, page: Page, plainness: int) -> str:
        """Post page *number*; return the id of its message."""

    async def edit(self, message: Message, page: Page, plainness: int) -> str | None:
        """Make *message* show *page*; return its id from now on, None if it can't be edited any more.

        Raises AnswerDeleted if somebody deleted it.
        """

    async def delete(self, message: Message) -> None:
        """Return once *message* is gone, or is not ours to delete."""

    async def find(self, note: Note[W], pages: Sequence[Page | None]) -> Mapping[int, str] | None:
        """Look for messages of this turn that *note* does not have; return their ids by the number of their page.

        *pages* are those that are to be shown. None: it was not looked, as posting twice posts once.
        """

    def is_deleted(self, message: Message) -> bool:
        """Is it known that somebody deleted *message*?"""


@runtime_checkable
class Attaches(Protocol):
    """Hands that can add a file to what they post."""

    async def attach(self, name: str, content: bytes, *, may_be_there: bool) -> str:
        """Add a file to the thread; return its id. *may_be_there*: look whether that was done before."""

    async def detach(self, file: str) -> None:
        """Return once the file with that id is gone."""


@runtime_checkable
class Grows(Protocol):
    """Hands whose messages may be held open while an answer grows, and have to be closed with its end."""

    def is_growing(self, message: Message) -> bool:
        """Is *message* open? What it shows may be less than it was given, until then."""


class _BrokenOffError(Exception):
    """Nobody wants to wait any longer; it is known what became of all calls."""


class Delivery(Generic[W]):
    """One call of `show`. `note` is what is known at any moment, also when the call ends early."""

    def __init__(
        self, hands: Hands[W], renderer: Renderer, turn: Turn, note: Note[W], most_pages: int = MOST_PAGES
    ) -> None:
        self._most_pages = most_pages
        self._is_broken_off = False
        self._hands = hands
        self._renderer = renderer
        self._turn = turn
        self._note = note

    @property
    def note(self) -> Note[W]:
        return replace(self._note, where=self._hands.where)

    async def run(self) -> None:
        """Raises a ChatError; `note` then says how far it came.

        Cancelled once, it ends as soon as it is known what became of the call under way, as if it was done.
        """
        with contextlib.suppress(_BrokenOffError):
            while not await self._is_shown():
                continue

    async def _is_shown(self) -> bool:
        """Show it; return False if it is to be shown otherwise."""
        try:
            await self._show()
            if self._turn.is_over and await self._show_file():
                return False
        except AnswerDeleted:
            if not self._turn.is_over:
                raise
            # Somebody wants to see nothing of it.
        except PayloadRefused:
            if self._note.plainness >= self._renderer.plainest:
                raise
            self._note = self._note.plainer()
            return False
        except RefusalUnclear:
            if self._turn.is_over:
                self._note = self._note.refused(self._renderer.plainest)
            raise
        self._note = replace(self._note, refusals=0, is_full=self._is_full())
        if self._turn.is_over:
            self._note = self._note.ended()
        return True

    async def _show(self) -> None:
        self._check_nothing_deleted()
        pages = self._wanted()
        if self._note.complete_for < self._turn.attempt:
            if self._turn.is_withdrawn:
                # Where it can't be looked for, what is known is all that can be taken away.
                with contextlib.suppress(ThreadGone, ChatForbidden):
                    await self._find(pages)
            elif len(pages) > len(self._note.messages):
                await self._find(pages)
                pages = self._wanted()
        for number, page in enumerate(pages):
            if page is not None:
                await self._show_page(number, page)
        while len(self._note.messages) > len(pages):
            await self._prepare("delete")
            await self._called(self._hands.delete(self._note.messages[-1]))
            self._note = self._note.cut(len(self._note.messages) - 1)

    def _is_full(self) -> bool:
        """Will no page change until the end? Then what comes until then need not be looked at."""
        return (
            not self._turn.is_over
            and len(self._note.messages) >= self._most_pages
            and (self._note.is_full or goes_on(self._turn, self._note, self._renderer, self._most_pages))
        )

    def _wanted(self) -> list[Page | None]:
        return wanted(self._turn, self._note, self._renderer, self._most_pages)

    async def _show_file(self) -> bool:
        """Add the whole of an answer that has too many pages as a file; return whether that can't be done."""
        if len(self._note.messages) < self._most_pages and not self._note.file.digest:
            return False
        text = in_a_file(self._turn, self._note, self._renderer, self._most_pages)
        content = text.encode(errors="replace")
        digest = hashlib.blake2b(content, digest_size=8).hexdigest() if text else ""
        file = self._note.file
        if file.digest == digest:
            return False
        if file.id and isinstance(self._hands, Attaches):
            await self._prepare("delete")
            await self._called(self._hands.detach(file.id))
            self._note = replace(self._note, file=NO_FILE)
        if not text:
            self._note = replace(self._note, file=NO_FILE)
            return False
        try:
            id_ = await self._attached(content)
        except (ThreadGone, ChatClosed, ChatLimited):
            raise
        except ChatError as refusal:
            may_pass = isinstance(refusal, ChatBusy) and not isinstance(refusal, RefusalUnclear)
            if may_pass and self._note.file_tries < MOST_FILE_TRIES:
                raise
            log.warning("a platform takes no file with the rest of an answer", code=refusal.code)
            id_ = ""
        self._note = replace(self._note, file=File(id_, digest), file_tries=0)
        return not id_

    async def _attached(self, content: bytes) -> str:
        """Return the id of the file, empty if the platform knows no such thing."""
        if not isinstance(self._hands, Attaches):
            return ""
        may_be_there = self._note.file_tries > 0 or self._turn.attempt > 1
        await self._prepare("post")
        self._note = replace(self._note, file_tries=self._note.file_tries + 1)
        return await self._called(self._hands.attach(FILE_NAME, content, may_be_there=may_be_there))

    async def _called(self, call: Coroutine[Any, Any, T]) -> T:
        """Have *call* come to its end, also when the rest is not waited for any more: it may have an effect."""
        calling = asyncio.ensure_future(call)
        try:
            return await asyncio.shield(calling)
        except asyncio.CancelledError:
            if self._is_broken_off or calling.cancelled():
                calling.cancel()
                raise
            self._is_broken_off = True
            return await calling

    async def _find(self, pages: Sequence[Page | None]) -> None:
        found = await self._hands.find(self._note, pages)
        if found is None:
            return
        while id_ := found.get(len(self._note.messages)):
            self._note = self._note.placed(len(self._note.messages), Message(id_))
        self._note = replace(self._note, complete_for=self._turn.attempt, tried=None)

    async def _show_page(self, number: int, page: Page) -> None:
        # How a page is taken that says nothing of the answer decides nothing about how that is dressed.
        for plainness in range(self._note.plainness, self._renderer.plainest + 1):
            try:
                await self._write_page(number, page, plainness)
            except PayloadRefused as refusal:
                if not page.is_aside:
                    raise
                log.info("a platform refuses the notice that an answer takes time", code=refusal.code)
            else:
                return

    async def _write_page(self, number: int, page: Page, plainness: int) -> None:
        if number >= len(self._note.messages):
            await self._post(number, page, plainness)
            return
        message = self._note.messages[number]
        if message.digest == page.digest(self._note.plainness) and not self._is_to_close(message):
            return
        await self._prepare("edit")
        try:
            id_ = await self._called(self._hands.edit(message, page, plainness))
        except AnswerDeleted:
            if not message.is_earlier:
                raise
            if page.text is None or page.is_placeholder:
                # Nothing is left that must not outlive its time; the next words will have another message.
                self._note = self._note.placed(
                    number, replace(message, has_footer=False, has_stop=False, is_aside=False)
                )
                return
            id_ = None
        if page.text is None:
            self._note = self._note.placed(number, replace(message, digest="", has_footer=False, has_stop=False))
        elif id_ is not None:
            self._note = self._note.placed(number, self._showing(id_, page))
        else:
            await self._follow_closed(number, page, plainness)

    def _is_to_close(self, message: Message) -> bool:
        return self._turn.is_over and isinstance(self._hands, Grows) and self._hands.is_growing(message)

    async def _follow_closed(self, number: int, page: Page, plainness: int) -> None:
        """Go on in messages of its own from this page on; what can be taken away of the old ones, is."""
        closed, self._note = self._note.messages[number:], self._note.cut(number)
        await self._post(number, page, plainness)
        for message in closed:
            with contextlib.suppress(ChatError):
                await self._prepare("delete")
                await self._called(self._hands.delete(message))

    async def _post(self, number: int, page: Page, plainness: int) -> None:
        await self._prepare("post")
        before = self._note
        # Until the platform has answered nobody knows whether it stands there, least of all after a cancellation.
        self._note = replace(before, complete_for=-1, tried=page)
        try:
            id_ = await self._called(self._hands.post(number, page, plainness))
        except ChatError as error:
            if not isinstance(error, ChatBusy) or isinstance(error, ChatLimited):
                self._note = before
            raise
        self._note = replace(before.placed(number, self._showing(id_, page)), tried=None)

    async def _prepare(self, deed: Deed) -> None:
        try:
            if not self._is_broken_off:
                await self._hands.prepare(deed)
        except asyncio.CancelledError:
            self._is_broken_off = True
        if self._is_broken_off:
            raise _BrokenOffError
        self._check_nothing_deleted()  # that may have taken its time

    def _check_nothing_deleted(self) -> None:
        """A page that is full is not edited any more, so that nobody would notice that it is gone."""
        is_deleted = self._hands.is_deleted
        if not self._turn.is_withdrawn and any(is_deleted(one) for one in self._note.messages if not one.is_earlier):
            raise AnswerDeleted("somebody deleted a part of the answer", code="deleted")

    def _showing(self, id_: str, page: Page) -> Message:
        has_stop = any(one.wish is Wish.STOP for one in page.buttons)
        has_passing = any(not (one.lasts or one.wish is Wish.STOP) for one in page.buttons)
        has_footer = has_passing or bool(page.aside and not self._renderer.drops_buttons)
        digest = page.digest(self._note.plainness)
        length = 0 if page.is_aside else len(page.text or "")
        return Message(id_, digest, is_aside=page.is_aside, has_footer=has_footer, has_stop=has_stop, length=length)
