"""The interface that catching up needs from a platform, and how far back it reads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from bots.listening.events import Heard
    from core.thread import Thread
    from core.turn import QuestionKey

P = TypeVar("P", bound="Hashable")  # a place where people talk: a channel, or a thread in one


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is read back at once."""

    places: int
    messages: int  # of one place, the newest ones
    pages: int  # of one place; each is a call
    calls: int  # of all places
    page: int = 100  # messages
    refusals: int = 5  # each is waited out
    pause: float = 10.0  # seconds after a refusal that names none
    pause_without_database: float = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Backlog(Generic[P]):
    """The messages that a platform tells of a place."""

    messages: Sequence[tuple[int, Any]]  # the position of each, and as it came; oldest first
    after: int | None  # it is all that was said after this position; None where that isn't certain
    calls: int = 0
    # Places that hang on these messages: from where to read them, None if nothing is new there.
    below: Mapping[P, int | None] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Round(Generic[P]):
    """One catching up."""

    oldest: int = 0  # what stands before this position is not looked for
    since: int = 0  # up to this position, nothing is of interest but whether a question was changed
    asked: dict[P, QuestionKey] = field(default_factory=dict)  # the newest question of each place, the newest first
    called: dict[P, QuestionKey] = field(default_factory=dict)  # the first of each: from there on, the bot is in it
    open: dict[P, int] = field(default_factory=dict)  # what is to be read, and after which position; in order
    done: set[P] = field(default_factory=set)
    calls: int = 0
    refusals: int = 0
    is_planned: bool = False
    is_listed: bool = False
    is_over: bool = False
    tried: asyncio.Event = field(default_factory=asyncio.Event)  # to plan it


class Reader(Protocol[P]):
    """The platform's part in catching up. Its coroutines raise ChatError, and nothing else."""

    chat: str  # its name
    bounds: Bounds

    async def place(self, thread: Thread) -> P | None:
        """Return where *thread* takes place; None if that is another connection's, or not known. Raises StorageUnavailable."""

    def position(self, key: QuestionKey) -> int | None:
        """Return where the message of a question stands; None if no message asked it."""

    def proves_deleted(self, place: P, key: QuestionKey) -> bool:
        """Is a question gone that is not among what is told of *place*, while what came before and after it is?"""

    async def places(self, this: Round[P]) -> Sequence[P]:
        """Return where something may have been said, the most urgent first."""

    async def ready(self, *, is_urgent: bool) -> bool:
        """Wait until a call may be made; False if who asks just now, which *is_urgent*, had better not wait for it."""

    async def read(self, place: P, after: int, this: Round[P]) -> Backlog[P]:
        """Return what was said in *place* after that position, and maybe what the platform tells beside it."""

    async def heard(self, place: P, message: Any) -> Heard:
        """Read a message as it is now. Raises whatever it likes for one that can't be read; and StorageUnavailable."""
