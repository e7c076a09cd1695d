"""Discord as core sees it: hands over what people ask there, and shows the answers in their threads."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from bots.discord import connection, files, history, limits, markdown, threads, token
from bots.discord.api import Api
from bots.discord.deleted import Deleted
from bots.discord.errors import translated
from bots.discord.events import thread_name
from bots.discord.hands import OVER, DiscordHands, TokenOver, nonce
from bots.discord.hourglass import Hourglass
from bots.discord.ids import NAME, channel_of, guild_of, has_own_place, message_of
from bots.discord.indicator import Indicator
from bots.discord.languages import in_slashes
from bots.discord.listeners import Listeners
from bots.discord.names import Names
from bots.discord.note import notes, said_to_wait
from bots.discord.pace import Pace
from bots.discord.rendering import DiscordRenderer
from bots.discord.reposts import Reposts
from bots.discord.setup import may_read
from bots.discord.times import USUAL, Times
from bots.finding import Finding, Verdict
from bots.kit import OUR_OWN, appeal
from bots.listening.history import History
from bots.listening.recent import Recent
from bots.reply.delivery import Delivery
from bots.reply.wanted import wanted
from core.chat import PLACE
from core.context import Earlier
from core.errors import ChatBusy, ChatClosed, ChatError, SetupError
from core.language import say
from core.words import as_markdown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from bots.discord.askers import Askers
    from bots.discord.note import Where
    from bots.discord.settings import Section
    from bots.kit import Kit
    from bots.reply.note import Note
    from core.access import Asker, Rules
    from core.attachment import Attachment
    from core.chat import Opened
    from core.relay import Relay
    from core.thread import PlaceId, Thread
    from core.turn import QuestionKey, Reply, Turn

_MOST_FOREIGN_PAGES = limits.FOLLOW_UPS - 2  # beside them, a sentence and a file with the rest


class DiscordChat:
    name = NAME

    def __init__(self, section: Section, kit: Kit, times: Times = USUAL) -> None:
        self._section = section
        self._kit = kit
        self._times = times
        self._api = Api(section, kit.vitals.metrics, self._times)
        self._pace = Pace()
        self._threads = threads.Threads(times.unclear_for)
        self._indicator = Indicator(self._api, self._pace, self._threads, after=times.types_after)
        self._hourglass = Hourglass(self._api, self._pace)
        self._deferring: dict[QuestionKey, asyncio.Event] = {}  # commands that Discord isn't told yet we are at
        self._notes = notes()
        self._deleted = Deleted()
        self._names = Names(tells=kit.names)
        self._recent = Recent(stands=history.stands)
        self._reader = history.DiscordHistory(self._api, self._pace, self._names, kit.vitals.metrics)
        self._history = History(self._recent, self._reader)
        self._askers: Askers | None = None  # None while nothing listens

    # Listening

    async def listen(self, relay: Relay) -> None:
        async with AsyncExitStack() as stack:
            client = await connection.enter(self._api, self._section, stack, self._kit.vitals, self._times)
            await stack.enter_async_context(self._indicator.open())
            listeners = Listeners(
                client,
                relay,
                self._kit,
                self._pace,
                hours=self._section.catch_up_hours,
                user_install=self._section.user_install,
                accepted=self._sign_of_life,
                deleted=self._deleted,
                deferring=self._deferring,
                times=self._times,
                recent=self._recent,
                names=self._names,
                reposts=Reposts(self._section.reposters, within=self._times.reposted_within),
            )
            self._askers = listeners.askers
            await stack.enter_async_context(listeners.open())
            await connection.stay(client, self._section, self._kit.notes, self._kit.vitals, self._times)

    async def earlier(self, turn: Turn, since: QuestionKey | None, most_characters: int) -> Earlier:
        question = turn.question
        wanted = await self._reader.wanted(question, since)
        if wanted is None:
            return Earlier()
        if not self._section.message_content:
            return Earlier(problem=history.NO_INTENT)
        if has_own_place(question.thread.id) and not await self._is_in(guild_of(question.thread.id)):
            return Earlier()  # somebody brought it along to where it can't read
        return await self._history.earlier(wanted, most_characters)

    async def _is_in(self, guild: int | None) -> bool:
        async with self._api.client() as client:
            return guild is not None and client.get_guild(guild) is not None

    # Who asks

    async def describe(self, asker: str, thread: Thread, rules: Rules) -> Asker:
        if self._askers is None:
            raise ChatBusy(code="not_listening")
        return await self._askers.describe(asker, thread, rules)

    # Self-check

    async def check(self) -> AsyncGenerator[Finding, None]:
        try:
            with translated():
                async with self._api.client() as client:
                    application = await client.application_info()
        except ChatClosed as refusal:
            raise SetupError(connection.not_accepted(self._section)) from refusal
        except ChatError:
            return
        yield Finding(f"the token works for the application {application.name}")
        if not may_read(self._section, application.flags):
            yield Finding(connection.missing_intent(application.id), Verdict.WRONG)

    def _sign_of_life(self, turn: Turn, note: Note[Where]) -> None:
        if not turn.is_over:
            self._indicator.on(turn.id, note.where)
        if turn.waited:
            self._hourglass.on(turn, note.where)

    # Showing

    async def ready(self, turn: Turn) -> None:
        if turn.answer or turn.problem or turn.aside or turn.is_withdrawn:
            channel = self._notes.newest(turn).where.channel
            await self._pace.ready(turn.id, channel, is_over=turn.is_over)

    async def show(self, turn: Turn) -> Reply:
        turn = _in_slashes(turn)
        note = self._notes.newest(turn)
        if turn.waited:
            note = said_to_wait(note)
        renderer = DiscordRenderer(turn, note, offers=self._kit.buttons)
        most = self._most_pages(note)
        await self._hourglass.off(turn, note.where)
        pages = wanted(turn, note, renderer, most)
        if turn.is_over or any(page and page.has_words for page in pages):
            self._indicator.off(turn.id)
        else:
            self._indicator.on(turn.id, note.where)
            if not any(pages) and len(pages) == len(note.messages):
                return note.write()
        if deferring := self._deferring.get(turn.question.key):
            await deferring.wait()
        with translated():
            async with self._api.client() as client:
                hands = DiscordHands(
                    client,
                    self._kit.secret_box,
                    self._pace,
                    turn,
                    note.where,
                    opener=self._threads,
                    times=self._times,
                    deleted=self._deleted,
                    grow=self._kit.notes.grow,
                )
                return await self._deliver(Delivery(hands, renderer, turn, note, most), turn, client)

    def _most_pages(self, note: Note[Where]) -> int:
        return min(self._kit.most_pages, _MOST_FOREIGN_PAGES) if note.where.is_foreign else self._kit.most_pages

    async def _deliver(self, delivery: Delivery[Where], turn: Turn, client: discord.Client) -> Reply:
        try:
            await self._run(delivery, turn, client)
            channel = delivery.note.where.channel
            if turn.is_withdrawn and channel == message_of(turn.question.key):  # the thread was made for nothing else
                await threads.leave(client, channel, self._pace.soon)
        finally:
            self._notes.keep(turn, delivery.note)
            self._pace.shown(turn.id, is_over=turn.is_over)
        return delivery.note.write(is_final=turn.is_over)

    async def _run(self, delivery: Delivery[Where], turn: Turn, client: discord.Client) -> None:
        try:
            await delivery.run()
        except TokenOver:
            await self._pace.spare()
            await token.tell_over(client, turn, delivery.note.where, nonce(turn.question.key, OVER))
            raise

    # Titles

    def has_title(self, turn: Turn) -> bool:
        return self._notes.newest(turn).where.channel == message_of(turn.question.key)

    async def retitle(self, turn: Turn, title: str) -> None:
        asked = turn.question
        with translated():
            async with self._api.client() as client:
                was, channel = thread_name(asked.text, asked.attachments), message_of(asked.key)
                await threads.rename(client, channel, was, thread_name(title), self._pace.soon)

    # Files

    @asynccontextmanager
    async def open_file(self, attachment: Attachment, workspace: PlaceId) -> AsyncIterator[Opened]:
        del workspace  # the link is for anybody
        async with files.opened(attachment, self._api, self._section.api_url) as opened:
            yield opened

    async def public_link(self, attachment: Attachment) -> str:
        return await files.public_link(attachment, self._api)

    async def appeal(self, turn: Turn) -> None:
        contact = "".join(markdown.pages(as_markdown(self._kit.contact)))
        place = f"<#{self._notes.newest(turn).where.channel}>"
        await self._tell(turn.question.asker, appeal(place, turn.reference, contact))

    async def notify(self, person: str, thread: Thread, sentence: str) -> None:
        is_direct = guild_of(thread.id) is None
        await self._tell(
            person, in_slashes(sentence).replace(PLACE, say(OUR_OWN) if is_direct else f"<#{channel_of(thread.id)}>")
        )

    async def _tell(self, person: str, sentence: str) -> None:
        with translated():
            async with self._api.client() as client:
                await self._pace.spare()
                private = await client.create_dm(discord.Object(int(person)))
                await self._pace.spare()
                await private.send(sentence)


def _in_slashes(turn: Turn) -> Turn:
    """What the service answered stays as it is."""
    return replace(
        turn, problem=in_slashes(turn.problem), answer=turn.answer if turn.model else in_slashes(turn.answer)
    )
