"""Gets the connection to Slack up, keeps it up, and takes it down without leaving anything behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bots.reconnects import Reconnects
from bots.slack.api import Api
from bots.slack.setup import APP_TOKEN, BOT_TOKEN, advice
from bots.slack.unreadable import FRAME, kind_of, skipped
from core.backoff import retry
from core.errors import ChatBusy, ChatError, SetupError, facts
from core.settings import proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from bots.slack.settings import Section
    from bots.slack.times import Times
    from core.backoff import Backoff
    from core.vitals import Vitals

PART = "slack"  # the word for it on the health page

log = structlog.get_logger(__name__)
T = TypeVar("T")


async def patiently(
    call: Callable[[], Awaitable[T]], token_name: str, section: Section, vitals: Vitals, backoff: Backoff
) -> T:
    """Repeat *call* until Slack can be reached. Raises SetupError when it refuses the token of that name."""
    token = section.bot_token if token_name == BOT_TOKEN else section.app_token

    def is_away(trouble: ChatBusy, pause: float) -> None:
        vitals.down(PART, "Slack can't be reached; trying again.")
        log.warning("Slack can't be reached; trying again", seconds=round(pause, 3), **facts(trouble))

    try:
        return await retry(call, backoff, on=ChatBusy, failed=is_away)
    except ChatError as refusal:
        vitals.down(PART, f"Slack refuses {token_name}.")
        raise SetupError(advice(refusal, token_name, token.get_secret_value(), section.api_url)) from refusal


class _Socket(SocketModeClient):
    """Skips frames that are no JSON, on which the SDK fails with a traceback that quotes them.

    And begins no more than it can see to: the SDK would begin with all that comes at once. Events wait as they came, a
    bounded number of them, and only they: clicks and commands are answered within three seconds, or not at all.
    """

    api: Api
    refusal = ""  # what to say while Slack does not give out addresses any more
    reconnects: Reconnects
    vitals: Vitals
    most_in_hand: int
    most_waiting: int
    room: asyncio.Event  # is there less in hand than can be?
    _in_hand = 0
    _is_crowded = False

    async def process_message(self) -> None:
        raw = await self.message_queue.get()
        while self._in_hand >= self.most_in_hand:
            self.room.clear()
            await self.room.wait()
        self._begin(raw)

    def _begin(self, raw: str) -> None:
        if not raw:  # Slack often sends empty ones
            return
        try:
            message: object = json.loads(raw)
        except (ValueError, RecursionError) as error:
            skipped(FRAME, error, self.vitals.metrics)
            return
        if isinstance(message, dict):
            self._in_hand += 1  # from now on, and not when its task comes to run
            asyncio.ensure_future(self.run_message_listeners(message, raw))  # noqa: RUF006  # as the SDK does
        else:
            skipped(FRAME, TypeError(), self.vitals.metrics)

    async def enqueue_message(self, message: str) -> None:
        if '"events_api"' not in message:  # nothing else is delivered again
            self._begin(message)
            return
        if self._in_hand + self.message_queue.qsize() < self.most_in_hand + self.most_waiting:
            self._is_crowded = False
            await super().enqueue_message(message)
        else:
            self.vitals.metrics.shed.labels(PART).inc()
            if not self._is_crowded:
                self._is_crowded = True
                log.warning("more comes from Slack than can be taken; it will send the rest again")

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        try:
            await super().run_message_listeners(message, raw_message)
        finally:
            self._in_hand -= 1
            self.room.set()

    async def issue_new_wss_url(self) -> str:
        """Ask for addresses like we do: the SDK would wait for as long as it is told, be it a day.

        And where connections end as soon as they came about, it would ask for the next one without a pause.
        """
        if pause := self.reconnects.pause():
            lost = "The connection to Slack is lost again and again; waiting before the next try."
            self.vitals.down(PART, self.refusal or lost)
            log.warning("the connection to Slack is lost again and again; waiting", seconds=round(pause, 3))
            await asyncio.sleep(pause)
        try:
            url = await self.api.socket_url(self.app_token)
        except ChatBusy as trouble:
            await asyncio.sleep(trouble.retry_after or 0.0)
            raise  # the SDK tries again a few seconds later
        except ChatError as refusal:
            said = advice(refusal, APP_TOKEN, self.app_token, self.api.url)
            if said != self.refusal:
                log.error("Slack refuses every new connection", why=said)
            self.refusal = said
            raise
        self.refusal = ""
        self.proxy = proxy_for(url)
        return url


@contextlib.asynccontextmanager
async def open_socket(
    app: AsyncApp, api: Api, app_token: str, url: str, *, vitals: Vitals, times: Times
) -> AsyncIterator[SocketModeClient]:
    """Have *app* answer what comes by Socket Mode from *url*, which lasts for one connection; the SDK gets the next.

    https://docs.slack.dev/apis/events-api/using-socket-mode
    """
    client = _Socket(
        app_token=app_token, logger=app.logger, web_client=api.client_without_token(), ping_interval=times.look
    )
    client.api, client.reconnects, client.vitals = api, Reconnects(times.reach), vitals
    client.wss_uri, client.proxy, client.most_in_hand = url, proxy_for(url), times.most_in_hand
    client.most_waiting, client.room = times.most_waiting, asyncio.Event()
    answering: set[asyncio.Task[object]] = set()

    async def answer(socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        # The SDK runs each of these in a task of its own, which it does not hold on to.
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a coroutine always runs in one)
        answering.add(task)
        task.add_done_callback(answering.discard)
        began = time.time()
        try:
            response = await run_async_bolt_app(app, request)
        except Exception as error:  # noqa: BLE001  # Bolt's own, while it looks for what a request is about
            skipped(kind_of(request.payload), error, vitals.metrics)
            response = BoltResponse(status=200)  # it would fail every time
        await send_async_response(socket, request, response, began)

    client.socket_mode_request_listeners.append(answer)
    # The SDK never gives up; `watch` reports its state, and makes it ask for a new address.
    connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait({connecting}, timeout=times.look)
        yield client
    finally:
        # From here on only what is under way is acknowledged; Slack sends the rest to the next connection.
        client.socket_mode_request_listeners.clear()
        if answering:
            _, late = await asyncio.wait(answering, timeout=times.drain)
            for task in late:  # unacknowledged, what they are about comes again
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        connecting.cancel()
        await client.close()  # type: ignore[no-untyped-call]
        # close() cancels the SDK's own tasks, but does not wait for them.
        tasks = [connecting, client.message_processor, client.current_session_monitor, client.message_receiver]
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


async def watch(client: SocketModeClient, vitals: Vitals, back: Callable[[], object], look: float) -> None:
    """Tell *vitals* how the socket is doing, until cancelled, and call *back* when it was lost and is there again.

    It is looked at every *look* seconds. Reconnecting is the SDK's work.
    """
    is_up = True
    while True:
        was_up, is_up = is_up, await client.is_connected()
        if is_up:
            vitals.up(PART)
            if not was_up:
                back()
        elif not was_up:
            vitals.down(PART, getattr(client, "refusal", "") or "The connection to Slack is lost; trying again.")
            # The SDK would keep trying the same address, which is valid for one connection and a short time only.
            client.wss_uri = None
        await asyncio.sleep(look)
