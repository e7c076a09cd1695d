"""Gets the connection to Slack up, keeps it up, and takes it down without leaving anything behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bots.slack.api import Api
from bots.slack.setup import APP_TOKEN, BOT_TOKEN, advice
from bots.slack.unreadable import FRAME, kind_of, skipped
from core.errors import ChatBusy, ChatError, SetupError, facts
from core.settings import proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from bots.slack.settings import Section
    from core.metrics import Metrics
    from core.vitals import Vitals

PART = "slack"  # the word for it on the health page
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0  # seconds between tries to reach Slack
LOOK_INTERVAL = 5.0  # seconds between looks at the socket; its own pings go as often
DRAIN_TIMEOUT = 3.0  # seconds: Slack doesn't wait longer for an acknowledgement either
# Events in hand: about as many as can be recorded before Slack delivers them again anyway. What comes beyond is left to
# its retries, at once, after a minute and after five: https://docs.slack.dev/apis/events-api#retries
MOST_IN_HAND = 500

log = structlog.get_logger(__name__)
T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]], token_name: str, section: Section, vitals: Vitals) -> T:
    """Repeat *call* until Slack can be reached. Raises SetupError when it refuses the token of that name."""
    token = section.bot_token if token_name == BOT_TOKEN else section.app_token
    delay = FIRST_DELAY
    while True:
        try:
            return await call()
        except ChatBusy as trouble:
            vitals.down(PART, "Slack can't be reached; trying again.")
            log.warning("Slack can't be reached; trying again", seconds=delay, **facts(trouble))
            await asyncio.sleep(max(delay, trouble.retry_after or 0) * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
            delay = min(delay * 2, LONGEST_DELAY)
        except ChatError as refusal:
            vitals.down(PART, f"Slack refuses {token_name}.")
            raise SetupError(advice(refusal, token_name, token.get_secret_value(), section.api_url)) from refusal


class _Socket(SocketModeClient):
    """Skips frames that are no JSON, on which the SDK fails with a traceback that quotes them.

    And takes no more than it can see to: the SDK would hold all that comes in memory, and begin with it all at once.
    """

    api: Api
    refusal = ""  # what to say while Slack does not give out addresses any more
    metrics: Metrics
    _in_hand = 0
    _is_crowded = False

    async def process_message(self) -> None:
        raw = await self.message_queue.get()
        if not raw:  # Slack often sends empty ones
            return
        try:
            message: object = json.loads(raw)
        except (ValueError, RecursionError) as error:
            skipped(FRAME, error, self.metrics)
            return
        if isinstance(message, dict):
            asyncio.ensure_future(self.run_message_listeners(message, raw))  # noqa: RUF006  # as the SDK does
        else:
            skipped(FRAME, TypeError(), self.metrics)

    async def enqueue_message(self, message: str) -> None:
        if self._in_hand + self.message_queue.qsize() < MOST_IN_HAND:
            self._is_crowded = False
        elif '"events_api"' in message:  # nothing else is delivered again
            self.metrics.shed.labels(PART).inc()
            if not self._is_crowded:
                self._is_crowded = True
                log.warning("more comes from Slack than can be taken; it will send the rest again")
            return
        await super().enqueue_message(message)
        await asyncio.sleep(0)  # else what was read already would all be taken before anything is begun

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        self._in_hand += 1
        try:
            await super().run_message_listeners(message, raw_message)
        finally:
            self._in_hand -= 1

    async def issue_new_wss_url(self) -> str:
        """Ask for addresses like we do: the SDK would wait for as long as it is told, be it a day."""
        try:
            url = await self.api.socket_url(self.app_token)
        except ChatBusy as trouble:
            await asyncio.sleep(trouble.retry_after or 0.0)
            raise  # the SDK tries again a few seconds later
        except ChatError as refusal:
            said = advice(refusal, APP_TOKEN, self.app_token, self.api.url)
            if said != self.refusal:
                log.error("Slack takes no connection any more", why=said)
            self.refusal = said
            raise
        self.refusal = ""
        self.proxy = proxy_for(url)
        return url


@contextlib.asynccontextmanager
async def open_socket(
    app: AsyncApp, api: Api, app_token: str, url: str, metrics: Metrics
) -> AsyncIterator[SocketModeClient]:
    """Have *app* answer what comes by Socket Mode from *url*, which lasts for one connection; the SDK gets the next.

    https://docs.slack.dev/apis/events-api/using-socket-mode
    """
    client = _Socket(
        app_token=app_token, logger=app.logger, web_client=api.client_without_token(), ping_interval=LOOK_INTERVAL
    )
    client.api, client.metrics = api, metrics
    client.wss_uri, client.proxy = url, proxy_for(url)
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
            skipped(kind_of(request.payload), error, metrics)
            response = BoltResponse(status=200)  # it would fail every time
        await send_async_response(socket, request, response, began)

    client.socket_mode_request_listeners.append(answer)
    # The SDK tries for ever; `watch` tells how it fares, and helps it to a new address.
    connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait({connecting}, timeout=LOOK_INTERVAL)
        yield client
    finally:
        # From here on nothing is acknowledged that isn't under way; Slack gives it to whoever connects next.
        client.socket_mode_request_listeners.clear()
        if answering:
            await asyncio.wait(answering, timeout=DRAIN_TIMEOUT)
        connecting.cancel()
        await client.close()  # type: ignore[no-untyped-call]
        # close() cancels the SDK's own tasks, but does not wait for them.
        tasks = [connecting, client.message_processor, client.current_session_monitor, client.message_receiver]
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


async def watch(client: SocketModeClient, vitals: Vitals, back: Callable[[], object]) -> None:
    """Tell *vitals* how the socket is doing, until cancelled, and call *back* when it was lost and is there again.

    Reconnecting is the SDK's work.
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
            # The SDK would try the same address for ever, but an address is good for one connection and a short time.
            client.wss_uri = None
        await asyncio.sleep(LOOK_INTERVAL)
