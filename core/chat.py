"""A platform as core sees it: the interface that every adapter implements, and the optional extras."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from core.access import Asker, is_bot
from core.context import Earlier
from core.errors import ChatRejected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from core.access import Rules
    from core.attachment import Attachment
    from core.relay import Relay
    from core.thread import PlaceId, Thread
    from core.turn import QuestionKey, Reply, Turn

PLACE = "{place}"  # in a sentence: what people call the channel that it is about


class Chat(Protocol):
    """Brings questions in and shows turns. What platform it is stays its own business."""

    @property
    def name(self) -> str:
        """The word that its threads carry in `Thread.chat`."""

    async def listen(self, relay: Relay) -> None:
        """Connect and hand over questions until cancelled.

        A question is acknowledged to the platform only after `relay.hear` has returned: what was not
        recorded must not count as delivered. Raises SetupError when it can never work (a wrong token).
        """

    async def show(self, turn: Turn) -> Reply:
        """Make the thread show *turn* as it is now; return the new `turn.reply`.

        Called many times for one turn, also by a process started later: whatever it must know of earlier
        calls is in `turn.reply`. A turn without answer and problem shows a sign of life at most. Raises a
        ChatError; one that says ThreadGone ends the turn, and so does ChatForbidden. Cancelled once, it comes to an
        end as soon as it is known what became of the call under way, and returns what it knows.
        """


@runtime_checkable
class Paced(Protocol):
    """A chat that can show an answer while it grows, as fast as its platform's rate budget allows."""

    async def ready(self, turn: Turn) -> None:
        """Wait until the platform's rate budget lets *turn* be shown.

        Cancelled by the worker as soon as the turn is over, and then called again for the final one, which
        must not wait behind updates of other turns.
        """


@runtime_checkable
class Appeals(Protocol):
    """A chat in which somebody can be told something in private."""

    async def appeal(self, turn: Turn) -> None:
        """Tell whoever asked *turn*, in private, that the bot may not write in its channel. Raises a ChatError."""


@runtime_checkable
class Notifies(Protocol):
    """A chat in which people can be told something that they didn't ask for."""

    async def notify(self, person: str, thread: Thread, sentence: str) -> None:
        """Tell *person* in private, with how they call where *thread* is in place of `PLACE`. Raises a ChatError."""


@runtime_checkable
class Titled(Protocol):
    """A chat whose threads have titles, made of their first questions by `core.title.title_of`."""

    def has_title(self, turn: Turn) -> bool:
        """Was a thread begun for *turn*, of which its title was made?"""

    async def retitle(self, turn: Turn, title: str) -> None:
        """Give the thread that was begun for *turn* another *title*, unless somebody has done so. Raises a ChatError."""


@runtime_checkable
class Remembers(Protocol):
    """A chat that can tell what was said before a question, and not to the bot."""

    async def earlier(self, turn: Turn, since: QuestionKey | None, most_characters: int) -> Earlier:
        """Return what was said where *turn* was asked, before it, after the message of *since* if that is given.

        Nothing of the bot's own is part of it; other questions may be. More than *most_characters* of the newest are not
        needed. Raises a ChatError; cancelled when it takes too long.
        """


@dataclass(frozen=True, slots=True)
class Opened:
    """A file on its way."""

    attachment: Attachment  # as the platform tells of it now
    media_type: str  # what comes, by its own words; empty if it doesn't say
    size: int | None  # bytes; None if it doesn't say
    chunks: AsyncGenerator[bytes, None]  # what is in it, once; raises a FileError


@runtime_checkable
class Files(Protocol):
    """A chat that can fetch what people attach."""

    def open_file(self, attachment: Attachment, workspace: PlaceId) -> AbstractAsyncContextManager[Opened]:
        """Fetch *attachment*, which was sent in *workspace*. Raises a FileError, also when it is another workspace's."""

    async def public_link(self, attachment: Attachment) -> str:
        """Return where anybody can fetch it for the next hour, empty if there is no such place. Raises a FileError."""


@runtime_checkable
class Describes(Protocol):
    """A chat that knows more of somebody than an id."""

    async def describe(self, asker: str, thread: Thread, rules: Rules) -> Asker:
        """Tell who *asker* is, and what *thread* lies in.

        What *rules* don't depend on may be left untold. Raises ChatError or TimeoutError where the platform doesn't tell
        what they do depend on.
        """


async def describe(chat: Chat | None, asker: str, thread: Thread, rules: Rules) -> Asker:
    """Have *chat* describe who asks; what doesn't know more of people has no guests and nobody from outside."""
    if chat and isinstance(chat, Describes):
        return await chat.describe(asker, thread, rules)
    return Asker(frozenset({asker}), is_direct=thread.is_direct, is_bot=is_bot(asker))


async def ready(chat: Chat, turn: Turn) -> None:
    """Wait until *chat* may show *turn*. Of one that has no pace, only ends are shown, and at once."""
    if isinstance(chat, Paced):
        await chat.ready(turn)
    elif not turn.is_over:
        await asyncio.Event().wait()


async def earlier(chat: Chat, turn: Turn, since: QuestionKey | None, most_characters: int) -> Earlier:
    """Have *chat* tell what was said before. Raises a ChatError."""
    return await chat.earlier(turn, since, most_characters) if isinstance(chat, Remembers) else Earlier()


async def appeal(chat: Chat, turn: Turn) -> None:
    """Have *chat* appeal to whoever asked *turn*. Raises a ChatError, also where nothing can be said in private."""
    if is_bot(turn.question.asker):
        raise ChatRejected("nothing can be said to a bot in private", code="bot")
    if not isinstance(chat, Appeals):
        raise ChatRejected("nothing can be said in private there", code="public")
    await chat.appeal(turn)


async def notify(chat: Chat, person: str, thread: Thread, sentence: str) -> None:
    """Have *chat* tell *person*. Raises a ChatError, also where nothing can be said in private."""
    if not isinstance(chat, Notifies):
        raise ChatRejected("nothing can be said in private there", code="public")
    await chat.notify(person, thread, sentence)
