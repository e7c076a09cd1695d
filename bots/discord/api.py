"""The way to Discord's API: logged in when somebody needs it, closed when nobody does any more."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import yarl

from bots.discord.bounds import LONGEST_SLEEP, tracing
from bots.discord.errors import UNREADABLE
from bots.discord.times import USUAL, Times
from bots.discord.unreadable import guard
from core.errors import ChatUnclear
from core.settings import proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bots.discord.settings import Section
    from core.metrics import Metrics

NO_MENTIONS = discord.AllowedMentions.none()


class Api:
    """One client for all. While the bot listens it is open; else as long as something is shown, and a while longer."""

    def __init__(self, section: Section, metrics: Metrics, times: Times = USUAL) -> None:
        self._section = section
        proxy_for(section.api_url)  # raises SetupError, which is to be known from the start
        self._times = times
        self._metrics = metrics
        self._client: discord.Client | None = None
        self._uses = 0
        self._closing: asyncio.Task[None] | None = None  # once nobody has used it for a while
        self._one_login = asyncio.Lock()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[discord.Client]:
        """Give the client, logged in. Raises what discord.py raises if that fails."""
        async with self._one_login:
            if self._client is None or self._client.is_closed():
                self._client, self._uses = await log_in(self._section, self._times), 0
                guard(self._client, self._metrics)
            client, self._uses = self._client, self._uses + 1
            if self._closing:
                self._closing.cancel()
        try:
            yield client
        finally:
            await self._leave(client)

    async def _leave(self, client: discord.Client) -> None:
        if client is not self._client:
            return
        self._uses -= 1
        if self._uses == 0:
            user = asyncio.current_task()
            is_cancelled = user is not None and user.cancelling() > 0  # then nothing begun here may be waited for
            if client.is_ready() or is_cancelled:  # it has listened: the process ends; or it may be ending
                await self._close(client)
            else:
                self._closing = asyncio.create_task(self._close_later(client))

    async def _close_later(self, client: discord.Client) -> None:
        try:
            await asyncio.sleep(self._times.kept_open)
        except asyncio.CancelledError:  # the process ends, or somebody needs it again
            await self._close_unused(client)
            raise
        await self._close_unused(client)

    async def _close_unused(self, client: discord.Client) -> None:
        if client is self._client and self._uses == 0:
            await self._close(client)

    async def _close(self, client: discord.Client) -> None:
        self._client = self._closing = None
        await client.close()


async def log_in(section: Section, times: Times = USUAL) -> discord.Client:
    """Return a new client, logged in, not connected; whoever calls closes it."""
    # discord.py takes its addresses by these attributes only.
    discord.http.Route.BASE = section.api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(section.gateway_url)
    # Nobody who runs a bot of texts needs to hear about missing voice libraries.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    kind, sharding = _sharding(section)
    client = kind(
        **sharding,
        intents=_intents(section),
        allowed_mentions=NO_MENTIONS,
        max_ratelimit_timeout=LONGEST_SLEEP,
        proxy=proxy_for(section.api_url),  # and so for the gateway: discord.py takes one for all
        http_trace=tracing(times.longest_wait),
        # Nothing is looked up among messages and members, so none are kept.
        max_messages=None,
        member_cache_flags=discord.MemberCacheFlags.none(),
        chunk_guilds_at_startup=False,
    )
    try:
        await client.login(section.token.get_secret_value())
    except BaseException:
        await client.close()
        raise
    _limit_calls(client, times.call)
    return client


async def edit_response(webhook: discord.Webhook, message: int, **changes: Any) -> int:
    """Change what was said by a command's token, without link previews; return the id of the message.

    As `Webhook.edit_message`, which can't leave these out:
    https://discord.com/developers/docs/resources/webhook#edit-webhook-message
    """
    if webhook.token is None:
        raise ValueError
    flags = discord.MessageFlags(suppress_embeds=True)
    with discord.http.handle_message_parameters(**changes, flags=flags, allowed_mentions=NO_MENTIONS) as parameters:
        answer: object = await discord.webhook.async_.async_context.get().edit_webhook_message(
            webhook.id,
            webhook.token,
            message,
            session=webhook.session,
            proxy=webhook.proxy,
            proxy_auth=webhook.proxy_auth,
            payload=parameters.payload,
            with_components="view" in changes,
        )
    if not isinstance(answer, dict) or not str(answer.get("id")).isdigit():
        raise ChatUnclear("no message in the answer", code=UNREADABLE)
    return int(answer["id"])


def _limit_calls(client: discord.Client, longest: float) -> None:
    """Have a call that gets no answer fail after a while.

    Left alone it takes five minutes, and whatever has the same rate limit waits behind it. It can't be cancelled
    instead: discord.py's rate limiter, cancelled in its sleep, wakes nobody who waits for it, ever.
    """
    session = client.http._HTTPClient__session  # type: ignore[attr-defined]  # noqa: SLF001  # no other way in 2.7
    session._timeout = aiohttp.ClientTimeout(total=longest)  # noqa: SLF001


def _sharding(section: Section) -> tuple[type[discord.Client], dict[str, Any]]:
    if section.shard_count == 1:
        return discord.Client, {}
    shards = list(section.shards or range(section.shard_count))
    return discord.AutoShardedClient, {"shard_count": section.shard_count, "shard_ids": shards}


def _intents(section: Section) -> discord.Intents:
    """https://discord.com/developers/docs/events/gateway#list-of-intents"""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    intents.guild_reactions = intents.dm_reactions = True
    intents.message_content = section.message_content
    return intents
