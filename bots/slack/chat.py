"""Slack as core sees it: hands over what people ask there, and shows the answers in their threads."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response

from bots.finding import Finding
from bots.kit import OUR_OWN, appeal
from bots.listening.history import History
from bots.listening.recent import Recent
from bots.reply.delivery import Delivery
from bots.slack import connection, files, history, limits, starts
from bots.slack.api import Api
from bots.slack.events import first_note
from bots.slack.hands import SlackHands
from bots.slack.ids import NAME, around, workspace_of
from bots.slack.indicator import SIGN, WAITS, Indicator
from bots.slack.limits import escaped
from bots.slack.listeners import Listeners
from bots.slack.naming import Naming
from bots.slack.note import notes
from bots.slack.pace import Pace
from bots.slack.rendering import SlackRenderer
from bots.slack.requests import Reader, RefusedError
from bots.slack.roots import Roots
from bots.slack.sessions import Sessions
from bots.slack.setup import APP_TOKEN, BOT_TOKEN, advice, lacking
from bots.slack.streams import Streams
from bots.slack.subscriptions import Subscriptions
from bots.slack.times import USUAL, Times
from bots.text.reasoning import visible
from core.bounded import BoundedSet
from core.chat import PLACE
from core.context import Earlier
from core.errors import ChatBusy, ChatClosed, ChatError, FileBusy, FileGone, SetupError, ThreadGone
from core.language import say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from slack_bolt.async_app import AsyncApp

    from bots.kit import Change, Kit
    from bots.reply.note import Note
    from bots.slack.api import Identity
    from bots.slack.askers import Askers
    from bots.slack.note import Where
    from bots.slack.settings import Section
    from core.access import Asker, Rules
    from core.attachment import Attachment
    from core.chat import Opened
    from core.relay import Relay
    from core.thread import PlaceId, Thread
    from core.turn import QuestionKey, Reply, Turn, TurnId

MOST_BEGUN = 10_000  # turns
MOST_CHANNELS = 10_000  # of which is remembered that Slack tells what is said there


class SlackChat:
    name = NAME

    def __init__(self, section: Section, kit: Kit, times: Times = USUAL) -> None:
        self._section = section
        self._kit = kit
        self._most_pages = kit.most_pages
        self._times = times
        self._pace = Pace(share=self._share if kit.budgets else None)
        self._api = Api(section, self._pace, times)
        self._streams = Streams(self._api, self._pace)
        self._sessions = Sessions(self._api)
        self._indicator = Indicator(self._api)
        self._identity: Identity | None = None  # None until Slack told
        self._subscriptions = Subscriptions()
        self._app: AsyncApp | None = None  # None while nothing listens
        self._is_counted = False  # as a process that began
        self._askers: Askers | None = None  # as the app
        self._notes = notes()
        self._naming = Naming(self._api, tells=kit.names, within=times.names)
        self._begun: BoundedSet[TurnId] = BoundedSet(MOST_BEGUN)  # that waited before
        self._told: BoundedSet[PlaceId] = BoundedSet(MOST_CHANNELS)
        self._recent = Recent(stands=history.stands, is_told_all=self._told.__contains__)
        self._roots = Roots(kit.notes)
        reader = history.SlackHistory(
            self._api,
            self._pace,
            self._who_am_i,
            kit.vitals.metrics,
            naming=self._naming,
            roots=self._roots,
            patience=times.context,
        )
        self._history = History(self._recent, reader, self._naming.people)
        if not section.uses_socket_mode:
            secret = section.signing_secret.get_secret_value()
            self._reader = Reader(secret, kit.vitals.metrics, say_again=times.say_again)
            kit.routes.post("/slack/events", self._take_request)

    # Listening

    async def listen(self, relay: Relay) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._api.session())
            self._identity = identity = await connection.patiently(
                self._api.who_am_i, BOT_TOKEN, self._section, self._kit.vitals, self._times.reach
            )
            # Before there are tasks: whoever can't be set up like this is to be told just that.
            token = self._section.app_token.get_secret_value()
            url = token and await connection.patiently(
                lambda: self._api.socket_url(token), APP_TOKEN, self._section, self._kit.vitals, self._times.reach
            )
            listeners = Listeners(
                relay,
                self._section,
                self._kit,
                api=self._api,
                pace=self._pace,
                identity=identity,
                indicator=self._indicator,
                naming=self._naming,
                recent=self._recent,
                told=self._told,
                times=self._times,
                subscriptions=self._subscriptions,
                roots=self._roots,
                sessions=self._sessions,
            )
            self._askers, self._roots.relay = listeners.askers, relay
            catch_up, mark = listeners.catch_up, listeners.mark
            if not self._is_counted:
                self._pace.begin_after(await starts.count(self._kit.notes))
                self._is_counted = True
            stack.push_async_callback(mark.keep)
            await catch_up.begin()
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            app = listeners.app(tasks)
            socket = None
            if url:
                opening = connection.open_socket(app, self._api, token, url, vitals=self._kit.vitals, times=self._times)
                socket = await stack.enter_async_context(opening)
            for task in (
                self._indicator.run(),
                self._sessions.run(),
                self._streams.run(),
                catch_up.run(),
                catch_up.mend(),
                mark.keep_up(),
            ):
                tasks.create_task(task)
            self._app = app
            stack.callback(self._stop_taking)
            if socket:
                await connection.watch(
                    socket, self._kit.vitals, lambda: tasks.create_task(catch_up.again()), self._times.look
                )
            else:
                self._kit.vitals.up(connection.PART)
                await asyncio.Event().wait()

    def _stop_taking(self) -> None:
        self._app = None

    async def _take_request(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = await self._reader.read(request)
        except RefusedError as refusal:
            return web.Response(status=refusal.status, text=refusal.sentence)
        if self._app is None:
            return web.Response(status=503, text="Not connected to Slack yet.")
        return await to_aiohttp_response(await self._app.async_dispatch(asked))

    async def earlier(self, turn: Turn, since: QuestionKey | None, most_characters: int) -> Earlier:
        where = self._newest_note(turn).where
        if where.about:
            return await self._around(turn, where, most_characters)
        place = await self._roots.place_of(turn.question.thread.id)
        wanted = history.wanted(turn.question, since, place[1], where) if place else None
        return await self._history.earlier(wanted, most_characters) if wanted else Earlier()

    async def _around(self, turn: Turn, where: Where, most_characters: int) -> Earlier:
        """Return what was said in the thread of the message that a private question is about."""
        wanted = history.wanted_about(turn.question, where)
        try:
            found = await self._history.earlier(wanted, most_characters) if wanted else Earlier()
        except ThreadGone:
            return Earlier(problem=history.NOT_IN_THAT_CHANNEL)
        problem = history.NOT_IN_THAT_CHANNEL if found.problem == history.NOT_HERE else found.problem
        return replace(found, problem=problem)

    # Who asks

    async def describe(self, asker: str, thread: Thread, rules: Rules) -> Asker:
        if self._askers is None:
            raise ChatBusy(code="not_listening")
        return await self._askers.describe(asker, thread, rules)

    # Self-check

    async def check(self) -> AsyncGenerator[Finding, None]:
        try:
            identity = await self._api.who_am_i()
        except ChatClosed as refusal:
            token = self._section.bot_token.get_secret_value()
            raise SetupError(advice(refusal, BOT_TOKEN, token, self._section.api_url)) from refusal
        except ChatError:
            return
        yield Finding(f"the bot's token works in the workspace {identity.workspace}")
        for finding in (*lacking(identity), *self._subscriptions.findings(), *self._sessions.findings()):
            yield finding

    # Showing

    async def ready(self, turn: Turn) -> None:
        # A call that shows nothing takes nothing from the budget.
        note = self._newest_note(turn)
        if stream := self._streams.get(note.where.channel, note.where.stream):
            if not (turn.is_over or turn.is_withdrawn):
                await self._streams.ready(stream)
            return
        begins = note.where.opens and not note.messages
        if not turn.is_withdrawn and (turn.is_over or turn.aside or begins or visible(turn.answer, streaming=True)):
            pages = len(note.messages)
            streams = not (pages or turn.is_over) and note.where.may_stream
            await self._pace.ready(
                turn.id,
                note.where.channel,
                is_posted=pages > 0,
                is_over=turn.is_over,
                pages=max(1, pages),
                streams=streams and self._streams.may_begin((await self._who_am_i()).team),
                age=max(0.0, time.time() - float(note.messages[0].id)) if pages else 0.0,
            )

    async def show(self, turn: Turn) -> Reply:
        identity = await self._who_am_i()
        note = self._newest_note(turn)
        await self._take_mark_off(turn, note.where)
        hands = SlackHands(self._api, self._pace, identity, turn, note, roots=self._roots, streams=self._streams)
        if left_behind := await hands.take_over():
            note = replace(note, where=hands.where).doubting(left_behind)
        renderer = SlackRenderer(turn, note.where, offers=self._kit.buttons)
        delivery = Delivery(hands, renderer, turn, note, self._most_pages)
        is_tried_again = False
        try:
            await delivery.run()
        except (ChatBusy, ChatClosed):
            is_tried_again = True
            raise
        except Exception:  # it will not be tried again, and nobody is at it any more
            await self._take_sign_off(turn, hands)
            raise
        else:
            await self._take_sign_off(turn, hands)
        finally:
            self._notes.keep(turn, delivery.note)
            self._pace.shown(turn.id, is_over=turn.is_over and not is_tried_again)
        return delivery.note.write(is_final=turn.is_over)

    async def _share(self, change: Change) -> None:
        """Change what the processes of this installation know of each other's calls."""
        if self._kit.budgets:
            await self._kit.budgets.change(f"{NAME}/{(await self._who_am_i()).team}", change)

    async def _who_am_i(self) -> Identity:
        self._identity = self._identity or await self._api.who_am_i()
        return self._identity

    async def _take_sign_off(self, turn: Turn, hands: SlackHands) -> None:
        if turn.is_over and hands.where.has_sign:
            if hands.where.channel.startswith("D"):
                place = hands.where.channel, hands.where.thread_ts
                await self._sessions.end(place, by_stream=hands.has_ended_stream)
            # Who waited wears no other; who put it on may have been late.
            sign = WAITS if turn.waited else SIGN
            await self._indicator.off(hands.where.channel, hands.where.question_ts, sign)
            hands.where = replace(hands.where, has_sign=False)

    async def _take_mark_off(self, turn: Turn, where: Where) -> None:
        """The question waits no more, if it did: whoever put the mark there."""
        if turn.waited and where.has_sign and not turn.is_over and self._begun.add(turn.id):
            await self._indicator.off(where.channel, where.question_ts, WAITS)

    # Files

    @asynccontextmanager
    async def open_file(self, attachment: Attachment, workspace: PlaceId) -> AsyncIterator[Opened]:
        try:
            identity = self._identity = self._identity or await self._api.who_am_i()
        except ChatError as error:
            raise FileBusy(code=error.code) from None
        if workspace != workspace_of(identity.team):  # its token would be another one
            raise FileGone(code="another workspace's")
        async with files.opened(attachment, self._api) as opened:
            yield opened

    async def public_link(self, attachment: Attachment) -> str:
        """There is none: each of Slack's files needs a token."""
        del attachment
        return ""

    async def appeal(self, turn: Turn) -> None:
        # A user's id in the channel's place stands for the direct messages with them.
        place = f"<#{self._newest_note(turn).where.channel}>"
        text = appeal(place, turn.reference, limits.escaped(self._kit.contact))
        await self._api.post(channel=turn.question.asker, text=text)

    async def notify(self, person: str, thread: Thread, sentence: str) -> None:
        _, channel = around(thread)
        place = say(OUR_OWN) if channel.startswith("D") else f"<#{channel}>"
        await self._api.post(channel=person, text=escaped(sentence).replace(PLACE, place))

    def _newest_note(self, turn: Turn) -> Note[Where]:
        return self._notes.newest(turn if turn.reply else turn.replied(first_note(turn.question).write()))
