"""Slack as core sees it: hands over what people ask there, and shows the answers in their threads."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bots.finding import Finding
from bots.kit import appeal
from bots.reply.delivery import Delivery
from bots.slack import connection
from bots.slack.api import Api, Identity
from bots.slack.catch_up import CatchUp
from bots.slack.events import NAME, check_command, first_note
from bots.slack.footer import AGAIN, read_click
from bots.slack.hands import SlackHands
from bots.slack.indicator import Indicator
from bots.slack.listeners import Listeners
from bots.slack.note import notes
from bots.slack.pace import Pace
from bots.slack.rendering import SlackRenderer
from bots.slack.requests import Reader, RefusedError, signature_of
from bots.slack.setup import APP_TOKEN, BOT_TOKEN, advice, lacking
from bots.slack.unreadable import MALFORMED, kind_of, skipped
from bots.text.reasoning import visible
from core.errors import ChatClosed, ChatError, SetupError, StorageUnavailable, facts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from slack_bolt.context.ack.async_ack import AsyncAck
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_sdk.socket_mode.aiohttp import SocketModeClient

    from bots.kit import Kit
    from bots.reply.note import Note
    from bots.slack.note import Where
    from bots.slack.settings import Section
    from core.metrics import Metrics
    from core.relay import Relay
    from core.turn import Reply, Turn

_ANY = re.compile(".*")

log = structlog.get_logger(__name__)


class _App(AsyncApp):
    """Bolt, which itself fails on an event that is no object: before any listener, and before its error handler."""

    def __init__(self, metrics: Metrics, **options: Any) -> None:
        super().__init__(**options)
        self._metrics = metrics

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        try:
            return await super().async_dispatch(req)
        except Exception as error:
            if "event" not in req.body or isinstance(req.body["event"], dict):
                raise
            skipped(kind_of(req.body), error, self._metrics)
            return BoltResponse(status=200)


class SlackChat:
    name = NAME

    def __init__(self, section: Section, kit: Kit) -> None:
        self._section = section
        self._vitals = kit.vitals
        self._kept = kit.notes
        self._pace = Pace()
        self._api = Api(section, self._pace)
        self._indicator = Indicator(self._api)
        self._identity: Identity | None = None  # None until Slack told
        self._app: AsyncApp | None = None  # None while nothing listens
        self._notes = notes()
        if not section.uses_socket_mode:
            self._reader = Reader(section.signing_secret.get_secret_value(), kit.vitals.metrics)
            kit.routes.post("/slack/events", self._take_request)

    # Listening

    async def listen(self, relay: Relay) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._api.session())
            self._identity = identity = await connection.patiently(
                self._api.who_am_i, BOT_TOKEN, self._section, self._vitals
            )
            # Before there are tasks: whoever can't be set up like this is to be told just that.
            url = await self._socket_url() if self._section.uses_socket_mode else ""
            listeners = Listeners(relay, identity, self._api, self._indicator, metrics=self._vitals.metrics)
            catch_up = CatchUp(
                self._api,
                self._pace,
                self._kept,
                relay,
                identity,
                take=listeners.take,
                revise=listeners.revise,
                hours=self._section.catch_up_hours,
                metrics=self._vitals.metrics,
            )
            stack.push_async_callback(catch_up.keep_seen)
            await catch_up.look()
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            app = self._bolt(listeners, catch_up, identity, tasks)
            socket = await self._open_socket(app, url, stack) if url else None
            tasks.create_task(self._indicator.run())
            tasks.create_task(catch_up.run())
            self._app = app
            stack.callback(self._stop_taking)
            if socket:
                await connection.watch(socket, self._vitals, catch_up.again)
            else:
                self._vitals.up(connection.PART)
                await asyncio.Event().wait()

    def _stop_taking(self) -> None:
        self._app = None

    async def _socket_url(self) -> str:
        token = self._section.app_token.get_secret_value()
        return await connection.patiently(lambda: self._api.socket_url(token), APP_TOKEN, self._section, self._vitals)

    async def _open_socket(self, app: AsyncApp, url: str, stack: AsyncExitStack) -> SocketModeClient:
        token = self._section.app_token.get_secret_value()
        return await stack.enter_async_context(connection.open_socket(app, self._api, token, url, self._vitals.metrics))

    def _bolt(self, listeners: Listeners, catch_up: CatchUp, identity: Identity, tasks: asyncio.TaskGroup) -> AsyncApp:
        """Return Bolt with our listeners; it acknowledges only after they returned (`process_before_response`)."""
        token = self._section.bot_token.get_secret_value()

        # With an `authorize` of ours Bolt looks for no installations, whatever SLACK_… variables are set.
        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=enterprise_id,
                team_id=team_id,
                bot_token=token,
                bot_id=identity.bot,
                bot_user_id=identity.user,
            )

        async def take_message(body: dict[str, Any]) -> None:
            with _fault_of_ours():
                await listeners.hear(body, catch_up)

        async def take_command(ack: AsyncAck, command: dict[str, Any], request: AsyncBoltRequest) -> None:
            check_command(command)
            with _fault_of_ours():
                await ack(**await listeners.command(command, signature_of(request)))

        async def take_click(ack: AsyncAck, body: dict[str, Any]) -> None:
            click = read_click(body)
            with _fault_of_ours():
                await listeners.click(click, tasks)
                await ack()

        async def take_nothing(ack: AsyncAck) -> None:
            await ack()

        app = _App(
            self._vitals.metrics,
            name="bobbin",
            client=self._api.client_without_token(),
            signing_secret=self._section.signing_secret.get_secret_value(),
            authorize=authorize,
            request_verification_enabled=False,  # done before; Bolt would write the whole body of a wrong one to the log
            process_before_response=True,
            raise_error_for_unhandled_request=True,
        )
        app.error(self._report)
        app.event("message")(take_message)
        app.event("app_mention")(take_message)
        app.command(_ANY)(take_command)
        app.action(AGAIN)(take_click)
        # Whatever else the app's settings make Slack send: unacknowledged it would come again and again.
        for others in (app.event, app.action, app.shortcut, app.view):
            others(_ANY)(take_nothing)
        return app

    async def _take_request(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = await self._reader.read(request)
        except RefusedError as refusal:
            return web.Response(status=refusal.status, text=refusal.sentence)
        if self._app is None:
            return web.Response(status=503, text="Not connected to Slack yet.")
        return await to_aiohttp_response(await self._app.async_dispatch(asked))

    async def _report(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Log what went wrong in a listener; the answer makes Slack deliver the same once more, if that can help."""
        is_event = "event" in body
        if isinstance(error, (BoltUnhandledRequestError, *MALFORMED)):
            # Slack's shape is none that Bolt, or we, know: it would fail every time.
            skipped(kind_of(body), error, self._vitals.metrics)
            return BoltResponse(status=200 if is_event else 404)
        if isinstance(error, StorageUnavailable):
            log.warning("what Slack sent can't be recorded; not acknowledging it, so that it comes again")
        elif isinstance(error, ChatError):
            log.warning("Slack refuses something while what it sent is taken", **facts(error))
        else:
            log.error(
                "what Slack sent can't be taken, in a way that nobody thought of",
                reference=secrets.token_hex(4),
                exc_info=error,
            )
        return BoltResponse(status=503)

    # How it is

    async def check(self) -> AsyncGenerator[Finding, None]:
        try:
            identity = await self._api.who_am_i()
        except ChatClosed as refusal:
            token = self._section.bot_token.get_secret_value()
            raise SetupError(advice(refusal, BOT_TOKEN, token, self._section.api_url)) from refusal
        except ChatError:
            return
        yield Finding(f"the bot's token works in the workspace {identity.workspace}")
        for finding in lacking(identity):
            yield finding

    # Showing

    async def ready(self, turn: Turn) -> None:
        # A call that shows nothing takes nothing from the budget.
        if not turn.is_withdrawn and (turn.is_over or turn.aside or visible(turn.answer, streaming=True)):
            note = self._newest_note(turn)
            await self._pace.ready(turn.id, note.where.channel, is_posted=bool(note.messages), is_over=turn.is_over)

    async def show(self, turn: Turn) -> Reply:
        identity = self._identity = self._identity or await self._api.who_am_i()
        note = self._newest_note(turn)
        hands = SlackHands(self._api, self._pace, identity.bot, turn, note.where)
        delivery = Delivery(hands, SlackRenderer(), turn, note)
        try:
            await delivery.run()
            if turn.is_over and note.where.has_sign:
                await self._indicator.off(note.where.channel, note.where.question_ts)
                hands.where = replace(hands.where, has_sign=False)
        finally:
            self._notes.keep(turn, delivery.note)
            self._pace.shown(turn.id, is_over=turn.is_over)
        return delivery.note.write(is_final=turn.is_over)

    async def appeal(self, turn: Turn) -> None:
        # A user's id in the channel's place stands for the direct messages with them.
        text = appeal(f"<#{self._newest_note(turn).where.channel}>", turn.reference)
        await self._api.post(channel=turn.question.asker, text=text)

    def _newest_note(self, turn: Turn) -> Note[Where]:
        return self._notes.newest(turn if turn.reply else turn.replied(first_note(turn.question).write()))


@contextlib.contextmanager
def _fault_of_ours() -> Iterator[None]:
    """What came could be read, so that what the body raises is a fault of ours, which may pass."""
    try:
        yield
    except MALFORMED as fault:
        raise RuntimeError from fault
