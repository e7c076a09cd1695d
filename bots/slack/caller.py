"""Calls Slack: through one connection pool, again where repeating is safe, and with its refusals as our errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.errors import translated, unclear
from bots.slack.times import USUAL, Times
from core.errors import ChatBusy, ChatLimited
from core.settings import proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from slack_sdk.http_retry.async_handler import AsyncRetryHandler
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bots.slack.pace import Pace
    from bots.slack.settings import Section

# A process that is to end gives what it shows ten seconds; who is told to wait longer comes again instead.
LONGEST_IN_CALL = 5.0  # seconds
_DRAIN_TIMEOUT = 5.0  # seconds that calls under way get to end before their connections are closed
log = structlog.get_logger(__name__)
_SDK_LOG = logging.getLogger("slack_sdk.web")  # never ours: what the SDK says may quote what people wrote


class Caller:
    """Calls Slack with the bot's token. Without `session` each call opens a connection of its own."""

    def __init__(self, section: Section, pace: Pace, times: Times = USUAL) -> None:
        self._longest_call = times.call
        self.token = section.bot_token.get_secret_value()
        self.url = section.api_url
        self._proxy = proxy_for(self.url)
        # Without a level of its own above DEBUG, the SDK formats every request for the log, read or not.
        _SDK_LOG.setLevel(logging.WARNING)
        self._pace = pace
        self._once = self._client([])
        self._patient = self._client([AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()])
        self._under_way = 0
        self._idle = asyncio.Event()

    def client_without_token(self) -> AsyncWebClient:
        """Return the client for Bolt, which takes the token from our `authorize`, and for opening sockets."""
        client = self._client(list(self._patient.retry_handlers))
        client.token = None
        client.session = self._patient.session
        return client

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Keep one connection pool. Calls made after it fall back to connections of their own."""
        timeout = aiohttp.ClientTimeout(total=self._longest_call)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            self._use(session)
            try:
                yield
            finally:
                self._use(None)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._calls_end(), _DRAIN_TIMEOUT)

    async def _patiently(
        self, name: str, method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: object
    ) -> AsyncSlackResponse:
        """Call, and once more if a limit says to come again in a moment. Raises a ChatError."""
        channel, until = str(arguments.get("channel", "")), 0.0
        while True:
            try:
                return await self._call(method, **arguments)
            except ChatLimited as busy:
                seconds = busy.retry_after or 1.0
                log.warning("Slack limits the rate; waiting", method=name, seconds=seconds)
                self._pace.refused(name, seconds, channel)
                if until or seconds > LONGEST_IN_CALL:
                    raise
                until = time.monotonic() + LONGEST_IN_CALL
                await asyncio.sleep(seconds + random.random())  # noqa: S311 (no secret)
                # Others may have been refused meanwhile, or be before it.
                while (seconds := self._pace.silence(name, channel)) > 0:
                    if time.monotonic() + seconds > until:
                        raise ChatLimited(busy.detail, code=busy.code, retry_after=seconds) from busy
                    await asyncio.sleep(seconds)
                self._pace.again(name)

    async def _limited(
        self, name: str, method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: object
    ) -> AsyncSlackResponse:
        """Call once. Raises a ChatError."""
        try:
            return await self._call(method, **arguments)
        except ChatLimited as busy:
            self._pace.refused(name, busy.retry_after or 1.0)
            raise

    async def _call(
        self, method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: object
    ) -> AsyncSlackResponse:
        """Raises a ChatError."""
        self._under_way += 1
        try:
            return await method(**arguments)
        except SlackApiError as error:
            raise translated(error) from error
        # RuntimeError: the pool was closed between two tries.
        except (aiohttp.ClientError, TimeoutError, SlackClientError, OSError, RuntimeError) as error:
            raise ChatBusy(type(error).__name__, code="unreachable") from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _calls_end(self) -> None:
        while self._under_way:
            self._idle.clear()
            await self._idle.wait()

    def _use(self, session: aiohttp.ClientSession | None) -> None:
        for client in (self._once, self._patient):
            client.session = session

    def _client(self, handlers: list[AsyncRetryHandler]) -> AsyncWebClient:
        timeout = int(self._longest_call)
        client = _Client(token=self.token, base_url=self.url, timeout=timeout, retry_handlers=handlers, logger=_SDK_LOG)
        client.proxy = self._proxy  # the SDK chooses one itself, whatever NO_PROXY says
        return client


class _Client(AsyncWebClient):
    """Sees to it that an answer is what the SDK takes it for, before it is read."""

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except (ValueError, RecursionError) as error:
            raise unclear(type(error).__name__) from None  # the error would quote what came
        if not isinstance(answer["data"], dict | None):
            raise unclear(f"{type(answer['data']).__name__} instead of an object", answer["status_code"])
        return answer
