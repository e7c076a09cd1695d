"""The threads that begin with a message of ours: what was asked there is known by another id than the message's ts.

It was recorded before the message was posted, so that neither can be without the other for long.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.listening.events import Overheard, Said
from bots.slack.ids import NAME, SCALE, is_ask, key_of, place_of, position, thread_in
from core.bounded import Bounded
from core.thread import ThreadId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bots.kit import Notes
    from bots.listening.events import Heard
    from bots.slack.ids import Place
    from core.thread import Thread
    from core.turn import QuestionKey, Turn

    TurnOf = Callable[[QuestionKey], Awaitable[Turn | None]]

MOST_REMEMBERED = 10_000  # threads
SETTLED = 60.0  # seconds after which it is known what a message begins


class Roots:
    """Of all installations. What it awaits raises StorageUnavailable."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.turn_of: TurnOf | None = None  # None while nothing listens
        # By the name of the note; empty: there is none, and will be none.
        self._known: Bounded[str, str] = Bounded(MOST_REMEMBERED)

    async def keep(self, thread: ThreadId, ts: str) -> None:
        """Keep that the message *ts* begins *thread*."""
        await self._write(_note_of(thread), ts)
        await self._write(_note_at(_channel_of(thread), ts), thread)

    async def thread_at(self, team: str, channel: str, ts: str) -> ThreadId | None:
        """Return the thread that the message *ts* begins, None if that is no message of ours."""
        name = _note_at(f"{NAME}:{team}/{channel}", ts)
        found = await self._read(name) or await self._asked_beside(team, channel, ts)
        if not found and position(ts) < SCALE.at(time.time() - SETTLED):
            self._known[name] = ""
        return ThreadId(found) if found else None

    async def _asked_beside(self, team: str, channel: str, ts: str) -> str:
        """Return the conversation beside the threads of direct messages, if *ts* asked there: it is answered in a thread."""
        name = _note_at(f"{NAME}:{team}/{channel}", ts)
        if name in self._known or not channel.startswith("D") or self.turn_of is None:
            return ""
        turn, beside = await self.turn_of(key_of(team, channel, ts)), thread_in(team, channel)
        if turn is None or turn.question.thread.id != beside.id:
            return ""
        self._known[name] = beside.id
        return beside.id

    async def thread_of(self, team: str, channel: str, ts: str) -> Thread:
        """Return the thread that the message *ts* begins, whoever said it."""
        thread, begun = thread_in(team, channel, ts), await self.thread_at(team, channel, ts)
        return replace(thread, id=begun) if begun else thread

    async def place_of(self, thread: ThreadId) -> Place | None:
        """Return where *thread* is; None if its first message isn't there yet."""
        channel, ts = place_of(thread)
        if is_ask(thread):
            ts = await self._read(_note_of(thread)) or ""
            return (channel, ts) if ts else None
        return channel, ts

    async def settled(self, heard: Heard, message: Mapping[str, Any], bot_user: str) -> Heard:
        """Return *heard*, which was read from *message*, in the thread that it belongs to."""
        said = heard.said if isinstance(heard, Overheard) else heard
        if not isinstance(said, Said) or not _may_be_below(said, message, bot_user):
            return heard
        question, where = said.question, said.note.where
        team = question.thread.workspace.removeprefix(f"{NAME}:")
        found = await self.thread_at(team, where.channel, where.thread_ts)
        if found is None:
            return heard
        said = replace(said, question=replace(question, thread=replace(question.thread, id=found)))
        return replace(heard, said=said) if isinstance(heard, Overheard) else said

    async def _read(self, name: str) -> str | None:
        if name not in self._known and (found := await self._notes.note(name)):
            self._known[name] = found
        return self._known.get(name)

    async def _write(self, name: str, text: str) -> None:
        await self._notes.write_note(name, text)
        self._known[name] = text


def _may_be_below(said: Said, message: Mapping[str, Any], bot_user: str) -> bool:
    """Can *message* stand in a thread that begins with a message of ours? Not every server says who began it."""
    where = said.note.where
    is_ours = message.get("parent_user_id") in (bot_user, None)
    return where.thread_ts not in ("", message.get("ts")) and (is_ours or said.question.thread.is_direct)


def _channel_of(thread: ThreadId) -> str:
    return thread.rpartition("/")[0]


def _note_at(channel: str, ts: str) -> str:
    return f"{NAME}/begun/{channel}/{ts}"


def _note_of(thread: ThreadId) -> str:
    return f"{NAME}/beginning/{thread}"
