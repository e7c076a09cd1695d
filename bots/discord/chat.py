"""Discord as core sees it: hands over what people ask there, and shows the answers in their threads."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import discord

from bots.discord import gateway
from bots.discord.answers import Showing
from bots.discord.deleted import Deleted
from bots.discord.door import Door
from bots.discord.errors import translated
from bots.discord.events import NAME
from bots.discord.hearing import Hearing
from bots.discord.note import Note
from bots.discord.pace import Pace
from bots.discord.pages import pages_of
from bots.discord.signs import Signs
from bots.kit import appeal

if TYPE_CHECKING:
    from bots.discord.pages import Pages
    from bots.discord.settings import Section
    from bots.kit import Kit
    from core.relay import Relay
    from core.turn import QuestionKey, Reply, Turn, TurnId

MOST_NOTES = 10_000  # kept in memory, beside those in the ledger


@dataclass(frozen=True, slots=True)
class Shown:
    """What this process has shown of a turn: more than its note in the ledger says, and kept when showing fails."""

    attempt: int
    before: Reply  # the note with which it was shown last
    note: Note

    def is_newest(self, turn: Turn) -> bool:
        """Has nobody else shown *turn* since? An attempt that was broken off may not have saved its note."""
        return turn.attempt == self.attempt or turn.reply in (self.before, self.note.write())


class DiscordChat:
    name = NAME

    def __init__(self, section: Section, kit: Kit) -> None:
        self._section = section
        self._kit = kit
        self._door = Door(section, kit.vitals.metrics)
        self._pace = Pace()
        self._signs = Signs(self._door, self._pace)
        self._deferring: dict[QuestionKey, asyncio.Event] = {}  # commands that Discord isn't told yet we are at
        self._shown: dict[TurnId, Shown] = {}
        self._deleted = Deleted()

    # Listening

    async def listen(self, relay: Relay) -> None:
        async with AsyncExitStack() as stack:
            client = await gateway.enter(self._door, stack, self._kit.vitals)
            await stack.enter_async_context(self._signs.open())
            hearing = Hearing(
                client,
                relay,
                self._kit,
                self._pace,
                catch_up=timedelta(hours=self._section.catch_up_hours),
                accepted=lambda turn, note: self._signs.on(turn.id, note),
                deleted=self._deleted,
                deferring=self._deferring,
            )
            await stack.enter_async_context(hearing.open())
            await gateway.stay(client, self._kit.notes, self._kit.vitals)

    # Showing

    async def ready(self, turn: Turn) -> None:
        if turn.answer or turn.problem or turn.aside or turn.is_withdrawn:
            note = self._newest_note(turn)
            await self._pace.ready(turn.id, note.channel, is_over=turn.is_over)

    async def show(self, turn: Turn) -> Reply:
        note = self._newest_note(turn)
        pages = pages_of(turn, note)
        if turn.is_over or (pages.texts and not pages.is_aside):
            self._signs.off(turn.id)
        else:
            self._signs.on(turn.id, note)
            if not (pages.texts or note.has_button):
                return note.write()
        if deferring := self._deferring.get(turn.question.key):
            await deferring.wait()
        with translated():
            async with self._door.client() as client:
                showing = Showing(client, self._kit.seal, self._pace, turn, note, deleted=self._deleted)
                await self._show(showing, turn, pages)
        return showing.note.write()

    async def appeal(self, turn: Turn) -> None:
        with translated():
            async with self._door.client() as client:
                await self._pace.spare()
                private = await client.create_dm(discord.Object(int(turn.question.asker)))
                await self._pace.spare()
                await private.send(appeal(f"<#{self._newest_note(turn).channel}>", turn.reference))

    async def _show(self, showing: Showing, turn: Turn, pages: Pages) -> None:
        try:
            if turn.is_withdrawn:
                await showing.withdraw()
            else:
                await showing.show(pages)
        finally:
            self._shown.pop(turn.id, None)  # the newest stand last
            self._shown[turn.id] = Shown(turn.attempt, turn.reply, showing.note)
            while len(self._shown) > MOST_NOTES:
                del self._shown[next(iter(self._shown))]
            self._pace.shown(turn.id, is_over=turn.is_over)

    def _newest_note(self, turn: Turn) -> Note:
        shown = self._shown.get(turn.id)
        if shown and shown.is_newest(turn):
            return shown.note
        # Who takes a turn on as the first knows of all that stands there.
        return replace(Note.read(turn.reply), is_complete=turn.attempt <= 1)
