"""Hears what happens in Discord and hands it to core: questions, commands, clicks, edits, deletions."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import discord
import structlog

from bots.discord import commands, connection
from bots.discord.askers import Askers
from bots.discord.catch_up import DiscordReader, mark_of
from bots.discord.conversations import Conversations
from bots.discord.dispatch import Dispatch
from bots.discord.errors import translated
from bots.discord.events import Wordless, is_mentioned, read_message
from bots.discord.finished import Finished
from bots.discord.ids import SCALE, key_of
from bots.discord.interactions import Interactions
from bots.discord.languages import Languages
from bots.discord.menus import Menus
from bots.discord.reactions import muted_by, nod_to, read_reaction
from bots.discord.rights import manages
from bots.discord.tree import Tree
from bots.listening.catch_up import CatchUp
from bots.listening.events import Deleted as DeletedMessages
from bots.listening.events import Said
from bots.listening.router import Router
from core.commands import BY_WORD, given_in
from core.errors import ChatError, StorageUnavailable, facts
from core.language import speaking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bots.discord.deleted import Deleted
    from bots.discord.names import Names
    from bots.discord.pace import Pace
    from bots.discord.reposts import Reposts
    from bots.discord.times import Times
    from bots.kit import Kit
    from bots.listening.recent import Recent
    from bots.reply.note import Note
    from core.relay import Relay
    from core.turn import Accepted, QuestionKey, Turn

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
        hours: float,
        user_install: bool,
        accepted: Callable[[Turn, Note[Any]], None],
        deleted: Deleted,
        deferring: dict[QuestionKey, asyncio.Event],
        times: Times,
        recent: Recent,
        names: Names,
        reposts: Reposts,
    ) -> None:
        """Say who is told.

        *accepted* is told of every new question; *deleted* and *deferring* are to hold the messages that are gone, for
        who shows answers in them, and the commands that Discord isn't told yet we are at. What was missed more than so
        many *hours* ago is not answered any more.
        """
        self._client = client
        self._relay = relay
        self._kit = kit
        self._user_install = user_install
        self._times = times
        self._reposts = reposts
        self._deleted = deleted
        self._dispatch = Dispatch(client)
        self.askers = Askers(client)
        self._pace = pace
        self._router = self._make_router(hours, accepted, recent)
        self._conversations = Conversations(relay)
        self._names = names
        self._languages = Languages()
        self._menus = Menus(pace.soon, deleted, names)
        self._interactions = Interactions(
            relay,
            self._router,
            kit,
            times,
            menus=self._menus,
            finished=Finished(relay, names, recorded_within=times.recorded_within),
            names=names,
            askers=self.askers,
            languages=self._languages,
            deferring=deferring,
        )
        self._catch_ups = self._make_catch_ups()
        self._knows_of_unreadable = False

    def _make_router(self, hours: float, accepted: Callable[[Turn, Note[Any]], None], recent: Recent) -> Router:
        return Router(
            self._relay,
            SCALE,
            hours=hours,
            record=self._record,
            accepted=accepted,
            refused=self._refuse,
            words_command=False,
            recent=recent,
            names=self._called,
            thumb=lambda said: nod_to(said, self._client),
            tell=self._tell_quietly,
            patience=self._times.patience,
        )

    def _make_catch_ups(self) -> dict[int, CatchUp[int]]:
        """One for each shard that this process has."""
        client, times, notes, metrics = self._client, self._times, self._kit.notes, self._kit.vitals.metrics
        count = client.shard_count or 1
        shards = (client.shard_ids if isinstance(client, discord.AutoShardedClient) else None) or range(count)
        return {
            shard: CatchUp(
                DiscordReader(
                    client,
                    self._pace,
                    metrics,
                    shard,
                    self._conversations,
                    bounds=times.catch_up,
                    names=self._names,
                    bots=self._kit.bots,
                    languages=self._languages,
                ),
                self._router,
                self._relay,
                mark_of(notes, shard, count, times.overlap),
                metrics,
            )
            for shard in shards
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hear while the body runs."""
        marks = [one.mark for one in self._catch_ups.values()]
        for mark in marks:
            # From here on all is to be heard, also what is said while a shard still waits for its turn to connect.
            with suppress(StorageUnavailable):  # catching up loads it, and says so
                await mark.load()
        keeping = [asyncio.create_task(mark.keep_up()) for mark in marks]
        try:
            self._dispatch.attach(
                on_connect=self._connected,
                on_ready=self._ready,
                on_shard_connect=lambda shard: self._catch_ups[shard].begin(),
                on_shard_ready=lambda shard: self._catch_ups[shard].run(),
                on_resumed=self._resumed,
                on_disconnect=self._disconnected,
                on_message=self._hear,
                on_raw_message_edit=self._edited,
                on_raw_message_delete=lambda deletion: self._take_back(deletion.message_id),
                on_raw_bulk_message_delete=lambda deletion: self._take_back(*deletion.message_ids),
                on_raw_reaction_add=lambda reaction: self._reacted(reaction, is_muting=True),
                on_raw_reaction_remove=lambda reaction: self._reacted(reaction, is_muting=False),
                on_interaction=self._interactions.take,
            )
            tree = Tree(
                self._client,
                self._relay,
                self._dispatch.remember_task,
                self._kit.vitals.metrics,
                heard=self.askers.heard,
                languages=self._languages,
                recorded_within=self._times.recorded_within,
            )
            commands.add_to(
                tree,
                self._relay,
                ask=self._interactions.ask,
                about=self._menus.open,
                from_here=self._interactions.ask_since,
                user_install=self._user_install,
            )
            await tree.sync_if_changed(self._kit.notes)
            yield
        finally:
            self._dispatch.detach()
            for one in self._catch_ups.values():
                one.stop()
            await self._dispatch.end()
            for task in keeping:
                task.cancel()
            for mark in marks:
                await mark.keep()

    async def _connected(self) -> None:
        """What happened since the last connection, Discord does not bring again."""
        self._kit.vitals.up(connection.PART)
        if self._client.shard_count is None:  # then discord.py tells of no shard
            await self._catch_ups[0].begin()

    async def _ready(self) -> None:
        """Discord has told of all servers and channels."""
        if self._client.shard_count is None:
            await self._catch_ups[0].run()

    async def _resumed(self) -> None:
        self._kit.vitals.up(connection.PART)

    async def _disconnected(self) -> None:
        self._kit.vitals.down(connection.PART, "The connection to Discord is interrupted; trying again.")

    async def _edited(self, edit: discord.RawMessageUpdateEvent) -> None:
        if edit.message.edited_at is not None:
            await self._hear(edit.message)

    @property
    def _me(self) -> int:
        return self._client.user.id if self._client.user else 0

    async def _hear(self, message: discord.Message) -> None:
        catch_up = self._catch_ups[connection.shard_of(_guild_of(message), self._client)]
        with catch_up.mark.hearing(message.id):
            self._names.learn(message)
            shown = message.author
            original = self._reposts.original_of(message)
            if message.author is not shown:
                self._names.learn_repost(message, shown.display_name)
            if original:
                await self._take_back(original.id)
            elif await self._reposts.takes(message):
                return
            if isinstance(message.channel, discord.PartialMessageable) and is_mentioned(message, self._me):
                await _look_up_channel(message, self._client)
            try:
                conversation = await self._conversations.behind(message, self._me, patience=self._times.patience)
            except StorageUnavailable as unavailable:
                log.warning("can't tell which conversation a message continues: the database is away")
                if is_mentioned(message, self._me):
                    with speaking(self._languages.of(message.author.id, message.guild)):
                        await _apologize(message, unavailable.sentence)
                return
            self.askers.heard(message.author)
            language = self._languages.of(message.author.id, message.guild)
            heard = read_message(
                message, self._me, conversation, names=self._names, bots=self._kit.bots, language=language
            )
            if isinstance(heard, Wordless) and not self._knows_of_unreadable:
                self._knows_of_unreadable = True
                log.warning(
                    "messages come without their words, so follow-ups need a mention: the Message Content Intent is off",
                    setting="BOBBIN_DISCORD__MESSAGE_CONTENT",
                )
            try:
                await self._router.hear_live(heard, catch_up.before)
            except StorageUnavailable as unavailable:
                if isinstance(heard, Said) or _is_own(message.channel, self._me) or conversation:
                    log.warning("a question can't be recorded; telling its asker")
                    with speaking(language):
                        await _apologize(message, unavailable.sentence)

    async def _record(self, said: Said) -> Accepted:
        """Whoever talks of listening, or stopping, means the bot; whatever else is a command here is a slash command."""
        command = given_in(said.question)
        question, note, patience = said.question, said.note.write(), self._times.patience
        if command is None or command.verb not in BY_WORD:
            return await self._relay.ask(question, note, patience=patience)
        channel = said.places[-1] if said.places else said.note.where.channel
        return await self._relay.hear(
            question, note, patience=patience, manages=lambda: manages(self._client, channel, question.asker)
        )

    async def _reacted(self, reaction: discord.RawReactionActionEvent, *, is_muting: bool) -> None:
        """A reaction is put on, or taken off."""
        reacted = read_reaction(reaction, self._client) if is_muting else None
        guild = self._client.get_guild(reaction.guild_id) if reaction.guild_id else None
        language = self._languages.of(reaction.user_id, guild)
        try:
            if reacted:
                member = reaction.member if isinstance(reaction.member, discord.Member) else None
                with speaking(language):
                    problem = await self._router.react(
                        reacted, lambda: manages(self._client, reaction.channel_id, reacted.by, member)
                    )
                if problem:
                    await self._tell_in_private(reacted.by, problem)
            elif thread := await muted_by(reaction, self._client, self._conversations):
                by = str(reaction.user_id)
                with speaking(language):
                    if problem := await self._router.mute(thread, by, is_muting=is_muting):
                        await self._tell_in_private(by, problem)
        except StorageUnavailable:
            log.warning("a reaction that tells the bot something can't be recorded")

    def _called(self) -> tuple[str, ...]:
        """Return the names by which people call the bot."""
        return (self._client.user.name, self._client.user.display_name) if self._client.user else ()

    async def _tell_quietly(self, said: Said, sentence: str) -> None:
        """Discord has nothing private to say to who gave no command: so in small print, and without a notification."""
        channel = self._client.get_partial_messageable(said.places[-1])
        try:
            with translated():
                await channel.send(f"-# {sentence}", silent=True)
        except ChatError as trouble:
            log.warning("nobody can be told that a mention is needed", **facts(trouble))

    async def _refuse(self, said: Said, sentence: str) -> None:
        await self._tell_in_private(said.question.asker, sentence)

    async def _tell_in_private(self, person: str, sentence: str) -> None:
        """In a direct message."""
        try:
            with translated():
                await self._pace.spare()
                private = await self._client.create_dm(discord.Object(int(person)))
                await self._pace.spare()
                await private.send(sentence, suppress_embeds=True)
        except ChatError as trouble:
            log.info("nobody can be told in private that they may not ask", **facts(trouble))

    async def _take_back(self, *messages: int) -> None:
        """They were deleted: questions, or parts of answers, or neither."""
        self._deleted.add(messages)
        try:
            await self._router.hear(DeletedMessages(tuple(map(key_of, messages))))
        except StorageUnavailable:
            log.warning("a message was deleted, and the withdrawal of its question can't be recorded")


def _guild_of(message: discord.Message) -> int | None:
    if message.guild:
        return message.guild.id
    # One that Discord has not told of yet, or none.
    return message.channel.guild_id if isinstance(message.channel, discord.PartialMessageable) else None


def _is_own(channel: object, me: int) -> bool:
    return isinstance(channel, discord.Thread) and channel.owner_id == me


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
