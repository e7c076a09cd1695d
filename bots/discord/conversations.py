"""Finds the conversation that a message continues where only the ledger knows: a reply to an answer in a channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import discord

from bots.discord.events import question_behind, says_it_itself
from bots.discord.ids import SCALE, channel_of, key_of, key_of_command

if TYPE_CHECKING:
    from core.relay import Relay
    from core.thread import Thread, ThreadId
    from core.turn import Turn

# A message that doesn't say what it answers is a later page, or came after a command's token was gone; it is looked for
# among the answers to what was asked up to so long before it.
POSTED_WITHIN = 24 * 3600  # seconds


class Conversations:
    """Reads from the ledger for such messages alone."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        # What is said in a place at the same moment is looked for in the order in which it was said.
        self._in_order: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def behind(self, message: discord.Message, me: int, *, patience: float = 0.0) -> ThreadId | None:
        """Return what *message* goes on with, if it doesn't say so itself. *me* is the bot's own id.

        Raises StorageUnavailable; *patience* is as for `Relay.ask`.
        """
        if says_it_itself(message, me):
            return None
        async with self._in_order.setdefault(message.channel.id, asyncio.Lock()):
            return await self._of_reply(message, patience)

    async def around(self, message: int) -> Thread | None:
        """Return the conversation to which a *message* in a channel belongs, as its question or with its answer.

        Raises StorageUnavailable.
        """
        turn = await self._relay.turn(key_of(message)) or await self._answered_in(message, patience=0.0)
        return turn.question.thread if turn else None

    async def _of_reply(self, message: discord.Message, patience: float) -> ThreadId | None:
        """Only of an answer that stands in the channel itself."""
        reference = message.reference
        answer = reference.resolved if reference else None
        key = question_behind(answer) if isinstance(answer, discord.Message) else None
        turn = await self._relay.turn(key, patience=patience) if key else None
        here = message.channel.id
        # A shared answer may reply to a message that is a question too, and answered elsewhere.
        if not _is_in(turn, here) and reference and reference.message_id:
            turn = await self._answered_in(reference.message_id, patience)
        return turn.question.thread.id if turn and _is_in(turn, here) else None

    async def _answered_in(self, message: int, patience: float) -> Turn | None:
        """Find the turn in whose note that message is. Ids, and so keys, rise with time."""
        asked = max(0, message - POSTED_WITHIN * SCALE.a_second)
        ranges = [(key(asked), key(message)) for key in (key_of_command, key_of)]
        return await self._relay.turn_noting(f'{message}"', ranges, patience=patience)


def _is_in(turn: Turn | None, channel: int) -> bool:
    return turn is not None and channel_of(turn.question.thread.id) == channel
