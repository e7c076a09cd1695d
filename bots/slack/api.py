"""The door to Slack's Web API: one connection pool, patient where repeating is safe, its refusals as our errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.errors import translate
from core.errors import ChatBusy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from slack_sdk.http_retry.async_handler import AsyncRetryHandler
    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bots.slack.pace import Pace
    from bots.slack.settings import Section

TIMEOUT = 30.0  # seconds for one call
_DRAIN_TIMEOUT = 5.0  # seconds that calls under way get to end before their connections are closed
UNREADABLE = "unreadable"  # for our log, beside Slack's codes
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in Slack."""

    user: str
    bot: str
    team: str  # the installation: a workspace, or a whole organisation
    workspace: str  # its name
    scopes: frozenset[str]


class Api:
    """Calls Slack with the bot's token. Without `session` each call opens a connection of its own."""

    def __init__(self, section: Section, pace: Pace) -> None:
        self._token = section.bot_token.get_secret_value()
        self._url = section.api_url
        # Without a level of its own above DEBUG, the SDK formats every request for the log, read or not.
        log.setLevel(logging.INFO)
        patient_429 = _TellsPace(pace)
        # Posting again after a lost connection could say the same thing twice.
        self._posting = self._client([patient_429])
        self._once = self._client([])
        self._patient = self._client(
            [AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler(), patient_429],
        )
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
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            self._use(session)
            try:
                yield
            finally:
                self._use(None)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._calls_end(), _DRAIN_TIMEOUT)

    async def who_am_i(self) -> Identity:
        """https://docs.slack.dev/reference/methods/auth.test"""
        answer = await self._call(self._patient.auth_test)
        # aiohttp's headers don't care for case, and are all that says which scopes were granted.
        scopes = answer.headers.get("x-oauth-scopes", "")
        return Identity(
            user=_named(answer, "user_id"),
            bot=answer.get("bot_id") or "",
            team=(answer.get("is_enterprise_install") and answer.get("enterprise_id")) or _named(answer, "team_id"),
            workspace=answer.get("team", ""),
            scopes=frozenset(scope.strip() for scope in scopes.split(",")),
        )

    async def socket_url(self, app_token: str) -> str:
        """https://docs.slack.dev/reference/methods/apps.connections.open"""
        answer = await self._call(self._patient.apps_connections_open, app_token=app_token)
        return _named(answer, "url")

    async def post(self, **arguments: object) -> str:
        """Post a message once; return its ts. https://docs.slack.dev/reference/methods/chat.postMessage"""
        answer = await self._call(
            self._posting.chat_postMessage, **arguments, unfurl_links=False, unfurl_media=False, link_names=False
        )
        return str(answer["ts"])

    async def update(self, **arguments: object) -> None:
        """https://docs.slack.dev/reference/methods/chat.update"""
        await self._call(self._patient.chat_update, **arguments, link_names=False)

    async def delete(self, channel: str, ts: str) -> None:
        """https://docs.slack.dev/reference/methods/chat.delete"""
        await self._call(self._patient.chat_delete, channel=channel, ts=ts)

    async def replies(self, channel: str, thread_ts: str, since: str, cursor: str) -> Mapping[str, Any]:
        """Return a page of a thread. https://docs.slack.dev/reference/methods/conversations.replies"""
        answer = await self._call(
            self._patient.conversations_replies,
            channel=channel,
            ts=thread_ts,
            oldest=since,
            cursor=cursor or None,
            limit=200,
            include_all_metadata=True,
        )
        return answer.data if isinstance(answer.data, dict) else {}

    async def whisper(self, **arguments: object) -> None:
        """Say something to one person only. https://docs.slack.dev/reference/methods/chat.postEphemeral"""
        await self._call(self._once.chat_postEphemeral, **arguments)

    async def is_guest(self, user: str, team: str) -> bool:
        """Is somebody a guest here, or at home in another workspace?

        https://docs.slack.dev/reference/objects/user-object
        """
        answer = await self._call(self._once.users_info, user=user)
        person = answer.get("user") or {}
        flags = ("is_restricted", "is_ultra_restricted", "is_stranger")
        return any(person.get(flag) for flag in flags) or person.get("team_id", team) != team

    # Reading back, where waiting for Slack is not worth it

    async def conversations(self, limit: int) -> list[str]:
        """Return the channels that the bot is in. https://docs.slack.dev/reference/methods/users.conversations"""
        kinds = "public_channel,private_channel,mpim,im"
        answer = await self._call(self._once.users_conversations, types=kinds, exclude_archived=True, limit=limit)
        return [str(each["id"]) for each in _objects(answer.get("channels")) if each.get("id")]

    async def said_in(self, channel: str, thread_ts: str, since: str, cursor: str, limit: int) -> Mapping[str, Any]:
        """Return a page of what was said from *since* on, in a thread, or beside all of them when *thread_ts* is empty.

        A thread is told oldest first, every page beginning with the message that it hangs on; a channel newest first.

        https://docs.slack.dev/reference/methods/conversations.history
        """
        asked = {"channel": channel, "oldest": since, "cursor": cursor or None, "limit": limit, "inclusive": True}
        if thread_ts:
            answer = await self._call(self._once.conversations_replies, ts=thread_ts, **asked)
        else:
            answer = await self._call(self._once.conversations_history, **asked)
        return answer.data if isinstance(answer.data, dict) else {}

    async def react(self, channel: str, ts: str, name: str) -> None:
        """https://docs.slack.dev/reference/methods/reactions.add"""
        await self._call(self._once.reactions_add, channel=channel, timestamp=ts, name=name)

    async def unreact(self, channel: str, ts: str, name: str) -> None:
        """https://docs.slack.dev/reference/methods/reactions.remove"""
        await self._call(self._once.reactions_remove, channel=channel, timestamp=ts, name=name)

    async def _call(
        self, method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: object
    ) -> AsyncSlackResponse:
        """Raises a ChatError."""
        self._under_way += 1
        try:
            return await method(**arguments)
        except SlackApiError as error:
            raise _translated(error) from error
        # RuntimeError: the pool was closed between two tries.
        except (aiohttp.ClientError, TimeoutError, SlackClientError, OSError, RuntimeError) as error:
            raise ChatBusy(type(error).__name__, code="unreachable") from error
        except (AttributeError, ValueError, TypeError) as error:  # the SDK's own, of an answer that isn't an object
            raise ChatBusy(type(error).__name__, code=UNREADABLE) from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _calls_end(self) -> None:
        while self._under_way:
            self._idle.clear()
            await self._idle.wait()

    def _use(self, session: aiohttp.ClientSession | None) -> None:
        for client in (self._posting, self._once, self._patient):
            client.session = session

    def _client(self, handlers: list[AsyncRetryHandler]) -> AsyncWebClient:
        return AsyncWebClient(
            token=self._token, base_url=self._url, timeout=int(TIMEOUT), retry_handlers=handlers, logger=log
        )


class _TellsPace(AsyncRateLimitErrorRetryHandler):
    """Waits as long as Slack wants, and lets others know."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(max_retry_count=1)
        self._pace = pace

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        if response is not None:
            headers = {name.lower(): values for name, values in response.headers.items()}
            seconds = float(headers.get("retry-after", ["1"])[0])
            method = request.url.rsplit("/", 1)[-1]
            log.warning("Slack limits the rate of %s: waiting %.0f s.", method, seconds)
            self._pace.refused(method, seconds)
        await super().prepare_for_next_attempt_async(state=state, request=request, response=response, error=error)


def _named(answer: AsyncSlackResponse, key: str) -> str:
    """Raises ChatBusy where there is no text under *key*: then something else answered in Slack's place."""
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise ChatBusy(f"an answer without {key}", code=UNREADABLE)
    return value


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _translated(error: SlackApiError) -> Exception:
    response = error.response
    data = getattr(response, "data", None)
    data = data if isinstance(data, dict) else {}
    # An answer that isn't JSON reaches us as aiohttp's own response, which spells it `status`.
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 200)
    if status == 200 and not isinstance(data.get("error"), str):
        # Not Slack's own: a proxy's page, say. What doesn't name an error is none that lasts.
        return ChatBusy("an answer that is none of Slack's", code=UNREADABLE)
    wait = response.headers.get("Retry-After") if hasattr(response, "headers") else None
    needed = f"needs {data['needed']}" if data.get("needed") else ""
    messages = (data.get("response_metadata") or {}).get("messages") or []
    return translate(
        str(data.get("error") or f"http_{status}"),
        "; ".join([needed, *map(str, messages)]).strip("; "),
        status=status,
        retry_after=float(wait) if wait else None,
    )
