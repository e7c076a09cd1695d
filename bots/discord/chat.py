"""Discord as core sees it: hands over what people ask there, and shows the answers in their threads."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import discord
import structlog

from bots.discord import gateway
from bots.discord.answers import Showing, pages_of
from bots.discord.commands import Interaction, Tree, recorded_in_time
from bots.discord.door import Door
from bots.discord.errors import NETWORK, translate, translated
from bots.discord.events import NAME, Asked, is_mentioned, read_command, read_message
from bots.discord.note import Note
from bots.discord.pace import Pace
from bots.discord.signs import Signs
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from bots.discord.settings import Section
    from bots.kit import Kit
    from core.relay import Relay
    from core.turn import QuestionKey, Reply, Turn, TurnId

# A command's response can be edited for 15 minutes; an edit must not come a moment too late:
# https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
TOKEN_LIFETIME = 14 * 60.0  # seconds
MOST_NOTES = 10_000  # kept in memory, beside those in the ledger
LAST_TASKS_WITHIN = 3.0  # seconds that what was heard last has to be recorded, when listening ends

log = structlog.get_logger(__name__)


class DiscordChat:
    name = NAME

    def __init__(self, section: Section, kit: Kit) -> None:
        self._section = section
        self._kit = kit
        self._door = Door(section)
        self._pace = Pace()
        self._signs = Signs(self._door)
        self._tasks: set[asyncio.Task[object]] = set()  # discord.py starts one for each event, and awaits none
        self._deferring: dict[QuestionKey, asyncio.Event] = {}  # commands that Discord isn't told yet we are at
        # What each attempt at a turn has shown so far: more than its note says, and kept when showing fails.
        self._notes: dict[tuple[TurnId, int], Note] = {}
        self._knows_of_unreadable = False

    # Listening

    async def listen(self, relay: Relay) -> None:
        async with AsyncExitStack() as stack:
            client = await gateway.enter(self._door, stack, self._kit.vitals)
            await stack.enter_async_context(self._signs.open())
            stack.push_async_callback(self._end_tasks)
            await self._attach(client, relay)
            await gateway.hold_back(self._kit.notes)
            await gateway.stay(client, self._kit.vitals)

    async def _attach(self, client: discord.Client, relay: Relay) -> None:
        """Have *client* tell us what happens."""
        vitals = self._kit.vitals

        async def on_connect() -> None:
            vitals.up(gateway.PART)

        async def on_resumed() -> None:
            vitals.up(gateway.PART)

        async def on_disconnect() -> None:
            vitals.down(gateway.PART, "The connection to Discord is interrupted; trying again.")

        async def on_message(message: discord.Message) -> None:
            self._own_task()
            await self._hear(message, client, relay)

        async def ask(interaction: Interaction, question: str) -> None:
            await self._take_command(interaction, question, relay)

        for listener in (on_connect, on_resumed, on_disconnect, on_message):
            client.event(listener)
        await Tree(client, relay, ask, self._own_task).sync_if_changed(self._kit.notes)

    def _own_task(self) -> None:
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end_tasks(self) -> None:
        """Let what was heard be recorded."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_TASKS_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _hear(self, message: discord.Message, client: discord.Client, relay: Relay) -> None:
        me = client.user.id if client.user else 0
        if isinstance(message.channel, discord.PartialMessageable) and is_mentioned(message, me):
            await _look_up_channel(message, client)
        asked = read_message(message, me)
        if isinstance(asked, Asked):
            await self._take(asked, message, relay)
            return
        log.debug("a message is not for me", why=asked.reason)
        if asked.is_unreadable and not self._knows_of_unreadable:
            self._knows_of_unreadable = True
            log.warning(
                "messages come without their words, so follow-ups need a mention: the Message Content Intent is off",
                setting="BOBBIN_DISCORD__MESSAGE_CONTENT",
            )

    async def _take(self, asked: Asked, message: discord.Message, relay: Relay) -> None:
        try:
            accepted = await relay.ask(asked.question, asked.note.write())
        except StorageUnavailable as unavailable:
            log.warning("a question could not be recorded; asking for it again later")
            await _apologize(message, unavailable.sentence)
            return
        if accepted.is_new and not accepted.turn.is_over:
            self._signs.on(accepted.turn.id, asked.note)

    async def _take_command(self, interaction: Interaction, text: str, relay: Relay) -> None:
        token = self._kit.seal.close(interaction.token)
        asked = read_command(interaction, text, token, time.time() + TOKEN_LIFETIME)
        # Discord takes nothing for a response before it was told that one comes.
        deferring = self._deferring[asked.question.key] = asyncio.Event()
        try:
            async with recorded_in_time():
                await relay.ask(asked.question, asked.note.write())
            await interaction.response.defer(thinking=True)
        finally:
            deferring.set()
            del self._deferring[asked.question.key]

    # Showing

    async def ready(self, turn: Turn) -> None:
        if turn.answer or turn.problem:
            await self._pace.ready(turn.id, self._newest_note(turn).channel, is_over=turn.is_over)

    async def show(self, turn: Turn) -> Reply:
        note = self._newest_note(turn)
        pages = pages_of(turn, note)
        if not pages and not turn.is_over:
            self._signs.on(turn.id, note)
            return note.write()
        await self._signs.off(turn.id)
        if deferring := self._deferring.get(turn.question.key):
            await deferring.wait()
        with translated():
            async with self._door.client() as client:
                showing = Showing(client, self._kit.seal, turn.question.key, note)
                await self._show(showing, turn, pages)
        if turn.is_over:
            self._notes.pop((turn.id, turn.attempt), None)
        return showing.note.write()

    async def _show(self, showing: Showing, turn: Turn, pages: list[str]) -> None:
        channel = showing.note.channel
        try:
            await showing.show(pages, is_over=turn.is_over)
        finally:
            self._notes[turn.id, turn.attempt] = showing.note
            while len(self._notes) > MOST_NOTES:
                del self._notes[next(iter(self._notes))]
            self._pace.shown(turn.id, channel, showing.calls, is_over=turn.is_over)

    def _newest_note(self, turn: Turn) -> Note:
        return self._notes.get((turn.id, turn.attempt)) or Note.read(turn.reply)


async def _look_up_channel(message: discord.Message, client: discord.Client) -> None:
    """A thread that was asleep, or a guild that Discord has not told of yet."""
    try:
        channel = await client.fetch_channel(message.channel.id)
    except (discord.DiscordException, *NETWORK) as error:
        log.warning("a mention came from a channel that can't be looked up", code=translate(error).code)
        return
    message.channel = channel  # type: ignore[assignment]
    if isinstance(channel, discord.Thread | discord.abc.GuildChannel):
        message.guild = channel.guild


async def _apologize(message: discord.Message, sentence: str) -> None:
    try:
        await message.channel.send(sentence, reference=message.to_reference(fail_if_not_exists=False))
    except (discord.DiscordException, *NETWORK) as error:
        log.warning("nobody could be told that a question was not recorded", code=translate(error).code)
