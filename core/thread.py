"""A place where people and the bot talk, and the ids its adapter gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

from core.words import keepable

ThreadId = NewType("ThreadId", str)  # opaque: made and read by the chat's adapter only
PlaceId = NewType("PlaceId", str)  # a workspace, channel or thread that a preset can be set for; opaque as well
ConversationId = NewType("ConversationId", str)  # the upstream's memory of a thread


@dataclass(frozen=True, slots=True)
class Origin:
    """The turn of another thread below which a thread branches off."""

    thread: ThreadId
    turn: int


@dataclass(frozen=True, slots=True)
class Thread:
    """The place in which people and the bot talk."""

    id: ThreadId
    chat: str  # the name of the chat that it belongs to
    within: tuple[PlaceId, ...]  # what it lies in, widest first: its workspace, …, its channel
    is_direct: bool = field(default=False, compare=False)  # is it between one person and the bot? Not stored
    origin: Origin | None = field(default=None, compare=False)  # stored with its first question, and not read back

    def __post_init__(self) -> None:
        # Engines know a thread by its id, whether they hear of it from the chat or from the database.
        object.__setattr__(self, "id", ThreadId(keepable(self.id)))

    @property
    def workspace(self) -> PlaceId:
        return self.within[0]

    @property
    def channel(self) -> PlaceId:
        """The place for which presets are set from inside this thread."""
        return self.within[-1]

    @property
    def layers(self) -> tuple[PlaceId, ...]:
        """Every place whose preset counts here, widest first, ending with the thread itself."""
        return tuple(dict.fromkeys((*self.within, PlaceId(self.id))))


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread's current memory upstream; bound to the model that it was begun with."""

    id: ConversationId
    model: str
