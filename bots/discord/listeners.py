"""Hears what happens in Discord and hands it to core: questions, commands, clicks, edits, deletions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import discord
import structlog

from bots.discord import connection
from bots.discord.buttons import take_click
from bots.discord.catch_up import Round
from bots.discord.commands import Interaction, Tree, recorded_in_time
from bots.discord.errors import overlooking, translated
from bots.discord.events import Asked, is_mentioned, key_of, read_command, read_message
from bots.discord.seen import Seen
from core.errors import ChatError, StorageUnavailable, facts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime

    from bots.discord.deleted import Deleted
    from bots.discord.note import Where
    from bots.discord.pace import Pace
    from bots.kit import Kit
    from core.relay import Relay
    from core.turn import QuestionKey, Turn

# A command's response can be edited for 15 minutes; an edit must not come a moment too late:
# https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
TOKEN_LIFETIME = 14 * 60.0  # seconds
LAST_TASKS_WITHIN = 3.0  # seconds that what was heard last has to be recorded, when listening ends

Listener = Callable[..., Coroutine[Any, Any, None]]

# Discord delivers a message once: a database that is restarted must not cost the question.
PATIENCE = 20.0  # seconds

log = structlog.get_logger(__name__)


class Listeners:
    """From the login to the end of listening."""

    def __init__(
        self,
        client: discord.Client,
        relay: Relay,
        kit: Kit,
        pace: Pace,
        *,
        catch_up: timedelta,
        accepted: Callable[[Turn, Where], None],
        deleted: Deleted,
        deferring: dict[QuestionKey, asyncio.Event],
    ) -> None:
        """Say who is told.

        *accepted* is told of every new question; *deleted* and *deferring* are to hold the messages that are gone, for
        who shows answers in them, and the commands that Discord isn't told yet we are at. What is older than *catch_up* is not answered any more.
        """
        self._client = client
        self._relay = relay
        self._kit = kit
        self._pace = pace
        self._catch_up = catch_up
        self._accepted = accepted
        self._deleted = deleted
        self._deferring = deferring
        self._attached: list[str] = []  # names of listeners
        count = client.shard_count or 1
        shards = (client.shard_ids if isinstance(client, discord.AutoShardedClient) else None) or range(count)
        self._seen = {shard: Seen(kit.notes, shard, count) for shard in shards}
        self._rounds: dict[int, Round] = {}  # of the shards that are connected
        self._tasks: set[asyncio.Task[object]] = set()  # discord.py starts one for each event, and awaits none
        # What happens to a message is recorded in the order in which it happened.
        self._one_at_a_time: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._knows_of_unreadable = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hear while the body runs."""
        for seen in self._seen.values():
            await seen.load(now=discord.utils.time_snowflake(discord.utils.utcnow()))
        try:
            self._attach(self._connection_listeners())
            self._attach(self._people_listeners())
            tree = Tree(self._client, self._relay, self._take_command, self._own_task, self._kit.vitals.metrics)
            await tree.sync_if_changed(self._kit.notes)
            yield
        finally:
            self._detach()
            await self._end_tasks()
            for seen in self._seen.values():
                await seen.keep(at_once=True)

    def _attach(self, listeners: Iterable[Listener]) -> None:
        """Have the client tell us what happens."""
        for listener in listeners:
            self._client.event(listener)
            self._attached.append(listener.__name__)

    def _detach(self) -> None:
        """discord.py may still have something to tell when its connection has ended, and fails if somebody listens."""
        for name in self._attached:
            delattr(self._client, name)
        self._attached.clear()
        # A client takes one tree only, and who begins to listen again may get the same client.
        self._client._connection._command_tree = None  # noqa: SLF001

    def _connection_listeners(self) -> tuple[Listener, ...]:
        vitals = self._kit.vitals

        async def on_shard_connect(shard: int) -> None:
            """Connected anew: what happened since the last connection, Discord does not bring again."""
            self._own_task()
            this = self._rounds[shard] = Round(
                self._client,
                self._pace,
                self._take_missed,
                self._take_back,
                metrics=self._kit.vitals.metrics,
                shard=shard,
                since=self._seen[shard].begin(),
                oldest=self._oldest(),
            )
            await this.plan(self._relay)

        async def on_shard_ready(shard: int) -> None:
            """Discord has told of all the shard's servers and channels."""
            self._own_task()
            this = self._rounds.get(shard)
            if this and await this.run() and this is self._rounds[shard]:
                self._seen[shard].end()
                await self._seen[shard].keep(at_once=True)

        async def on_connect() -> None:
            vitals.up(connection.PART)
            if self._client.shard_count is None:  # then discord.py tells of no shard
                await on_shard_connect(0)

        async def on_ready() -> None:
            if self._client.shard_count is None:
                await on_shard_ready(0)

        async def on_resumed() -> None:
            vitals.up(connection.PART)

        async def on_disconnect() -> None:
            vitals.down(connection.PART, "The connection to Discord is interrupted; trying again.")

        return on_connect, on_ready, on_shard_connect, on_shard_ready, on_resumed, on_disconnect

    def _people_listeners(self) -> tuple[Listener, ...]:
        async def on_message(message: discord.Message) -> None:
            self._own_task()
            seen = self._seen[connection.shard_of(_guild_of(message), self._client)]
            with seen.hearing(message.id):
                await self._hear(message)
            await seen.keep()

        async def on_raw_message_edit(edit: discord.RawMessageUpdateEvent) -> None:
            self._own_task()
            # Without that time it is no person's edit: Discord has looked at a link, or made a thread.
            if edit.message.edited_at is not None:
                await self._hear(edit.message, is_edit=True)

        async def on_raw_message_delete(deletion: discord.RawMessageDeleteEvent) -> None:
            self._own_task()
            await self._take_back(deletion.message_id)

        async def on_raw_bulk_message_delete(deletion: discord.RawBulkMessageDeleteEvent) -> None:
            self._own_task()
            await self._take_back(*deletion.message_ids)

        async def on_interaction(interaction: Interaction) -> None:
            self._own_task()
            await take_click(interaction, self._relay)

        return on_message, on_raw_message_edit, on_raw_message_delete, on_raw_bulk_message_delete, on_interaction

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

    @property
    def _me(self) -> int:
        return self._client.user.id if self._client.user else 0

    def _oldest(self) -> datetime:
        return discord.utils.utcnow() - self._catch_up

    async def _hear(self, message: discord.Message, *, is_edit: bool = False, is_missed: bool = False) -> None:
        if isinstance(message.channel, discord.PartialMessageable) and is_mentioned(message, self._me):
            await _look_up_channel(message, self._client)
        asked = read_message(message, self._me)
        if isinstance(asked, Asked):
            this = self._rounds.get(connection.shard_of(_guild_of(message), self._client))
            if this and not (is_edit or is_missed):
                await this.reach(message.channel)
            async with self._alone_with(message.id):
                await self._take(asked, message, is_edit=is_edit)
            return
        log.debug("a message is not for the bot", why=asked.reason)
        if asked.is_unreadable and not self._knows_of_unreadable:
            self._knows_of_unreadable = True
            log.warning(
                "messages come without their words, so follow-ups need a mention: the Message Content Intent is off",
                setting="BOBBIN_DISCORD__MESSAGE_CONTENT",
            )

    async def _take_missed(self, message: discord.Message) -> None:
        if message.type is discord.MessageType.thread_starter_message:
            # It shows, as it is now, the question that the thread was made from, or that it was deleted.
            # https://discord.com/developers/docs/resources/message#message-object
            match message.reference and message.reference.resolved:
                case discord.DeletedReferencedMessage() as deleted:
                    await self._take_back(deleted.id)
                case discord.Message() as started:
                    await self._take_missed(started)
            return
        # What Discord would not have told when it was said, it may tell afterwards.
        is_told = self._client.intents.message_content or message.guild is None or is_mentioned(message, self._me)
        if is_told:
            await self._hear(message, is_edit=message.edited_at is not None, is_missed=True)

    def _alone_with(self, message: int) -> asyncio.Lock:
        return self._one_at_a_time.setdefault(message, asyncio.Lock())

    async def _take(self, asked: Asked, message: discord.Message, *, is_edit: bool) -> None:
        try:
            if is_edit and message.created_at < self._oldest():
                await self._relay.revise(asked.question)
                return
            accepted = await self._relay.ask(asked.question, asked.note.write(), patience=PATIENCE)
            if is_edit and not accepted.is_new:
                await self._relay.revise(asked.question)
        except StorageUnavailable as unavailable:
            log.warning("a question can't be recorded; telling its asker")
            await _apologize(message, unavailable.sentence)
            return
        if accepted.is_new and not accepted.turn.is_over:
            self._accepted(accepted.turn, asked.note.where)

    async def _take_back(self, *messages: int) -> None:
        """They were deleted: questions, or parts of answers, or neither."""
        self._deleted.add(messages)
        for message in messages:
            async with self._alone_with(message):
                try:
                    await self._relay.withdraw(key_of(message))
                except StorageUnavailable:
                    log.warning("a message was deleted, and it can't be recorded that its question is none any more")

    async def _take_command(self, interaction: Interaction, text: str) -> None:
        token = self._kit.secret_box.close(interaction.token)
        asked = read_command(interaction, text, token, time.time() + TOKEN_LIFETIME)
        # Discord takes nothing for a response before it was told that one comes.
        deferring = self._deferring[asked.question.key] = asyncio.Event()
        try:
            async with recorded_in_time():
                await self._relay.ask(asked.question, asked.note.write())
            with overlooking(), translated():
                await interaction.response.defer(thinking=True)
        except ChatError as refusal:  # recorded, it is answered, if need be in the channel
            log.warning("Discord does not take that an answer to a command comes", **facts(refusal))
        finally:
            deferring.set()
            del self._deferring[asked.question.key]


def _guild_of(message: discord.Message) -> int | None:
    if message.guild:
        return message.guild.id
    # One that Discord has not told of yet, or none.
    return message.channel.guild_id if isinstance(message.channel, discord.PartialMessageable) else None


async def _look_up_channel(message: discord.Message, client: discord.Client) -> None:
    """A thread that was asleep, or a guild that Discord has not told of yet."""
    try:
        with translated():
            channel = await client.fetch_channel(message.channel.id)
    except ChatError as trouble:
        log.warning("a mention comes from a channel that can't be looked up", **facts(trouble))
        return
    message.channel = channel  # type: ignore[assignment]
    if isinstance(channel, discord.Thread | discord.abc.GuildChannel):
        message.guild = channel.guild


async def _apologize(message: discord.Message, sentence: str) -> None:
    try:
        with translated():
            await message.channel.send(sentence, reference=message.to_reference(fail_if_not_exists=False))
    except ChatError as trouble:
        log.warning("nobody can be told that a question was not recorded", **facts(trouble))
