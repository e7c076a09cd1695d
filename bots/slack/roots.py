"""Finds the conversation of threads whose ts alone doesn't tell it.

Those that begin with a message of ours: what was asked there is known by another id. It was recorded before the message was
posted, so that neither can be without the other for long. And those of direct messages, see `Roots.thread_of`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.listening.events import Overheard, Said
from bots.slack.ids import NAME, SCALE, around, is_ask, key_of, place_of, position, thread_in
from core.bounded import Bounded, BoundedSet
from core.thread import Origin, ThreadId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bots.kit import Notes
    from bots.listening.events import Heard
    from bots.slack.ids import Place
    from core.relay import Relay
    from core.thread import Thread

MOST_REMEMBERED = 10_000  # threads
_LAST = "9999999999.999999"  # a ts behind all others
SETTLED = 60.0  # seconds after which it is known what a message begins


class Roots:
    """Of all installations. What it awaits raises StorageUnavailable."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.relay: Relay | None = None  # None while nothing listens
        # By the name of the note; empty: there is none, and will be none.
        self._known: Bounded[str, str] = Bounded(MOST_REMEMBERED)
        self._own: BoundedSet[ThreadId] = BoundedSet(MOST_REMEMBERED)  # of direct messages, where something was asked

    async def keep(self, thread: ThreadId, ts: str) -> None:
        """Keep that the message *ts* begins *thread*."""
        await self._write(_note_of(thread), ts)
        await self._write(_note_at(_channel_of(thread), ts), thread)

    async def thread_at(self, team: str, channel: str, ts: str) -> ThreadId | None:
        """Return the thread that the message *ts* begins, None if that is no message of ours."""
        name = _note_at(f"{NAME}:{team}/{channel}", ts)
        found = await self._read(name)
        if not found and position(ts) < SCALE.at(time.time() - SETTLED):
            self._known[name] = ""
        return ThreadId(found) if found else None

    async def thread_of(self, team: str, channel: str, ts: str) -> Thread:
        """Return the thread that the message *ts* begins, whoever said it.

        In direct messages, what is not asked in a thread is one conversation, and its answers stand in threads. Such a thread
        is a conversation of its own, which branches off below what was asked and answered in it before; but while
        an answer is still to come there, what people write belongs to the conversation of that.
        """
        thread = thread_in(team, channel, ts)
        if begun := await self.thread_at(team, channel, ts):
            return replace(thread, id=begun)
        return await self._in_direct(thread, ts) if thread.is_direct else thread

    async def _in_direct(self, thread: Thread, ts: str) -> Thread:
        if self.relay is None or thread.id in self._own:
            return thread
        (team, channel), mark = around(thread), f'"{ts}"'
        root, beside = key_of(team, channel, ts), thread_in(team, channel)
        newest = await self.relay.turn_noting(mark, [(root, key_of(team, channel, _LAST))]) or await self.relay.turn(
            root
        )
        if newest is None:
            return thread
        is_beside = newest.question.thread.id == beside.id
        if newest.model and not is_beside:
            self._own.add(thread.id)
            return thread
        if open_ := await self.relay.stopping.being_answered(root, mark, beside.id):
            return replace(thread, id=open_.question.thread.id)
        below = newest if is_beside else await self.relay.turn(root)  # else it is a command, which says nothing
        return replace(thread, origin=Origin(beside.id, below.id)) if below else thread

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
        thread = await self.thread_of(team, where.channel, where.thread_ts)
        if thread.id == question.thread.id and not thread.origin:
            return heard
        said = replace(said, question=replace(question, thread=thread))
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
