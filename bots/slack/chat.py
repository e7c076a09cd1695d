"""Slack as core sees it: hands over what people ask there, and shows the answers in their threads."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from bots.commands import HELP, obey
from bots.slack import connect
from bots.slack.answers import Showing
from bots.slack.api import Api, Identity
from bots.slack.events import NAME, Ignored, channel_of_command, first_note, read_event
from bots.slack.markdown import pages, plain
from bots.slack.note import Note
from bots.slack.pace import Pace
from bots.slack.signs import Signs
from core.errors import ChatError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.context.ack.async_ack import AsyncAck
    from slack_sdk.socket_mode.aiohttp import SocketModeClient

    from bots.kit import Kit
    from bots.slack.settings import Section
    from core.relay import Relay
    from core.turn import Question, QuestionKey, Reply, Turn, TurnId

COMMAND_TIMEOUT = (
    2.5  # seconds; Slack shows an error after 3: https://docs.slack.dev/interactivity/implementing-slash-commands
)
MOST_REMEMBERED = 1_000  # of anything that is only in memory
_ANY = re.compile(".*")
# What everybody in the channel should see who did.
_CHANGE = re.compile(r"preset\s+(set|reset)\b", re.IGNORECASE)
_ONLY_IN_THREADS = "`reset` is for threads: mention me there with the word `reset`."

log = structlog.get_logger(__name__)


class SlackChat:
    name = NAME

    def __init__(self, section: Section, kit: Kit) -> None:
        self._section = section
        self._vitals = kit.vitals
        self._pace = Pace()
        self._api = Api(section, self._pace)
        self._signs = Signs(self._api)
        self._identity: Identity | None = None  # None until Slack told
        self._app: AsyncApp | None = None  # None while nothing listens
        # What each attempt at a turn has shown so far: more than its note says, and kept when showing fails.
        self._notes: dict[tuple[TurnId, int], Note] = {}
        # Redelivered, a command must not be obeyed again: what it changed may have been changed anew.
        self._obeyed: dict[QuestionKey, None] = {}
        if not section.uses_socket_mode:
            kit.routes.post("/slack/events", self._take_request)

    # Listening

    async def listen(self, relay: Relay) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._api.session())
            self._identity = await connect.patiently(self._api.who_am_i, connect.BOT_TOKEN, self._vitals)
            app = self._bolt(relay, self._identity)
            socket = await self._socket(app, stack) if self._section.uses_socket_mode else None
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            tasks.create_task(self._signs.run())
            self._app = app
            stack.callback(self._stop_taking)
            if socket:
                await connect.watch(socket, self._vitals)
            else:
                self._vitals.up(connect.PART)
                await asyncio.Event().wait()

    def _stop_taking(self) -> None:
        self._app = None

    async def _socket(self, app: AsyncApp, stack: AsyncExitStack) -> SocketModeClient:
        token = self._section.app_token.get_secret_value()
        url = await connect.patiently(lambda: self._api.socket_url(token), connect.APP_TOKEN, self._vitals)
        return await stack.enter_async_context(connect.open_socket(app, self._api, token, url))

    def _bolt(self, relay: Relay, identity: Identity) -> AsyncApp:
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
            question = read_event(body, identity.user)
            if isinstance(question, Ignored):
                log.debug("A message is not for me.", why=question.reason)
            else:
                await self._take(question, relay)

        async def take_command(ack: AsyncAck, command: dict[str, Any]) -> None:
            await ack(**await self._command(command, relay, identity))

        async def take_nothing(ack: AsyncAck) -> None:
            await ack()

        app = AsyncApp(
            name="bobbin",
            client=self._api.client_without_token(),
            signing_secret=self._section.signing_secret.get_secret_value(),
            authorize=authorize,
            process_before_response=True,
        )
        app.error(_report)
        app.event("message")(take_message)
        app.event("app_mention")(take_message)
        app.command(_ANY)(take_command)
        # Whatever else the app's settings make Slack send: unacknowledged it would come again and again.
        for others in (app.event, app.action, app.shortcut, app.view):
            others(_ANY)(take_nothing)
        return app

    async def _take_request(self, request: web.Request) -> web.StreamResponse:
        if self._app is None:
            return web.Response(status=503, text="Not connected to Slack yet.")
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))

    # Questions and commands

    async def _take(self, question: Question, relay: Relay) -> None:
        """Record a question, or obey a command; return only when that is in the database."""
        if await self._is_obeyed(question, relay):
            return
        note = first_note(question)
        accepted = await relay.ask(question, replace(note, has_sign=True).write())
        if accepted.is_new:
            self._signs.on(note.channel, note.question_ts)

    async def _is_obeyed(self, question: Question, relay: Relay) -> bool:
        """If the words are a command, obey it, or know that it was obeyed before."""
        if question.key in self._obeyed:
            return True
        # Marked before it is obeyed: the same message may come through the second door meanwhile.
        self._obeyed[question.key] = None
        told = None
        try:
            told = await obey(question.text, relay, question.thread, question.asker)
            if told is not None:
                await relay.tell(question, told, first_note(question).write())
        except StorageUnavailable:
            told = None
            raise
        finally:
            if told is None:
                del self._obeyed[question.key]
        _forget_oldest(self._obeyed)
        return told is not None

    async def _command(self, command: Mapping[str, Any], relay: Relay, identity: Identity) -> dict[str, Any]:
        words = plain(command.get("text") or "", identity.user, names={})
        told = await self._obey_slash(words, command, relay)
        is_change = bool(_CHANGE.match(words)) and told.startswith("Done")
        page = pages(told)[0]
        return {
            "response_type": "in_channel" if is_change else "ephemeral",
            "text": page.fallback,
            "blocks": [{"type": "markdown", "text": page.markdown}],
        }

    async def _obey_slash(self, words: str, command: Mapping[str, Any], relay: Relay) -> str:
        if words.strip().lower().rstrip(".!") == "reset":
            return _ONLY_IN_THREADS
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                return await obey(words, relay, channel_of_command(command), command["user_id"]) or HELP
        except (StorageUnavailable, TimeoutError):
            return StorageUnavailable().sentence

    # Showing

    async def ready(self, turn: Turn) -> None:
        if turn.answer or turn.problem:
            note = self._newest_note(turn)
            await self._pace.ready(turn.id, note.channel, is_posted=bool(note.messages), is_over=turn.is_over)

    async def show(self, turn: Turn) -> Reply:
        identity = self._identity = self._identity or await self._api.who_am_i()
        showing = Showing(self._api, self._pace, identity.bot, turn, self._newest_note(turn))
        try:
            await showing.show()
        finally:
            self._notes[turn.id, turn.attempt] = note = showing.note
            _forget_oldest(self._notes)
            self._pace.shown(turn.id, is_over=turn.is_over)
        if turn.is_over:
            del self._notes[turn.id, turn.attempt]
            if note.has_sign:
                await self._signs.off(note.channel, note.question_ts)
                note = replace(note, has_sign=False)
        return note.write()

    def _newest_note(self, turn: Turn) -> Note:
        if known := self._notes.get((turn.id, turn.attempt)):
            return known
        return Note.read(turn.reply) if turn.reply else first_note(turn.question)


def _forget_oldest(remembered: dict[Any, Any]) -> None:
    while len(remembered) > MOST_REMEMBERED:
        del remembered[next(iter(remembered))]


async def _report(error: Exception) -> BoltResponse:
    """Log what went wrong in a listener; the answer makes Slack deliver the same once more."""
    if isinstance(error, StorageUnavailable):
        log.warning("A message from Slack could not be recorded, so it was not acknowledged; Slack will send it again.")
    elif isinstance(error, ChatError):
        log.warning("Slack refused something while a message was taken.", code=error.code, detail=error.detail)
    else:
        log.error("A message from Slack could not be taken.", reference=secrets.token_hex(4), exc_info=error)
    return BoltResponse(status=503)
