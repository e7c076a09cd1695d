"""Gets the connection to Discord's gateway up, and takes it down without leaving anything behind."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import discord
import structlog

from bots.discord.errors import NETWORK, translate
from bots.discord.identify_budget import IdentifyBudget
from bots.reconnects import Reconnects
from core.backoff import Pauses, retry
from core.errors import ChatBusy, SetupError, reason

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    import aiohttp

    from bots.discord.api import Api
    from bots.discord.settings import Section
    from bots.discord.times import Times
    from bots.kit import Notes
    from core.vitals import Vitals

PART = "discord"  # the word for it on the health page
# Discord asks for a heartbeat every 41.25 seconds or so:
# https://discord.com/developers/docs/events/gateway#sending-heartbeats
SHORTEST_BEAT, LONGEST_BEAT = 1.0, 120.0  # seconds

log = structlog.get_logger(__name__)

AWAY = "Discord can't be reached; trying again."
GATEWAY_AWAY = "Discord's gateway can't be reached; trying again. Is BOBBIN_DISCORD__GATEWAY_URL right?"
# What can't be mended by trying again, and what can be done about it:
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
_ADVICE = {
    4010: "there is no such shard: compare BOBBIN_DISCORD__SHARDS and BOBBIN_DISCORD__SHARD_COUNT",
    4011: "the bot is in too many servers for one connection: set BOBBIN_DISCORD__SHARD_COUNT, one for every 2,500 servers",
    4012: "this version of its API is gone: install a newer Bobbin",
    4013: "it doesn't know an intent that is asked for: install a newer Bobbin",
}


def not_accepted(section: Section) -> str:
    # https://discord.com/developers/docs/reference#authentication
    parts = section.token.get_secret_value().count(".") + 1
    other = (
        ""
        if parts == 3
        else " A bot's token has three parts with dots between, and this is none: is it the client secret?"
    )
    return (
        f"Discord does not accept BOBBIN_DISCORD__TOKEN.{other} Copy the token again (“Reset Token” on the page “Bot” of "
        "your application at https://discord.com/developers/applications)."
    )


def closed_for_good(code: int) -> str:
    """Say what to do about a close *code* of the gateway that trying again doesn't mend."""
    todo = _ADVICE.get(code, "look the code up at https://discord.com/developers/docs/topics/opcodes-and-status-codes")
    return f"Discord's gateway refuses the bot (close code {code}): {todo}."


def missing_intent(application_id: int | None) -> str:
    return (
        "Discord does not let the bot read messages: switch on “Message Content Intent” at "
        f"https://discord.com/developers/applications/{application_id or ''}/bot, or set "
        "BOBBIN_DISCORD__MESSAGE_CONTENT=false to answer mentions, direct messages and commands only."
    )


class HeldBackError(Exception):
    """A client without shards may not identify yet."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not before {seconds:.0f} seconds have passed")
        self.seconds = seconds


def shard_of(guild: int | None, client: discord.Client) -> int:
    """https://discord.com/developers/docs/events/gateway#sharding-sharding-formula; direct conversations have no guild."""
    return ((guild or 0) >> 22) % (client.shard_count or 1)


async def enter(api: Api, section: Section, stack: AsyncExitStack, vitals: Vitals, times: Times) -> discord.Client:
    """Open *api* for as long as *stack*, however long Discord can't be reached. Raises SetupError for a wrong token."""

    async def log_in() -> discord.Client:
        try:
            return await stack.enter_async_context(api.client())
        except discord.LoginFailure as error:
            raise SetupError(not_accepted(section)) from error
        except (discord.DiscordException, *NETWORK) as error:
            trouble = translate(error)
            if not isinstance(trouble, ChatBusy):
                raise SetupError(f"Discord refuses the bot's login (code {trouble.code}).") from error
            raise trouble from error
        except Exception as error:  # discord.py's own, of an answer that is none of Discord's
            raise ChatBusy(code=type(error).__name__) from error

    return await retry(
        log_in, times.reach, on=ChatBusy, failed=lambda trouble, pause: _is_away(trouble.code, pause, vitals)
    )


async def stay(client: discord.Client, section: Section, notes: Notes, vitals: Vitals, times: Times) -> None:
    """Stay connected until cancelled; the client is left logged in. Raises SetupError for what can never work."""
    pauses = Pauses(times.reach)
    identify_budget = IdentifyBudget(notes, client.shard_count or 1, backoff=times.identify)
    _hold_back(client, identify_budget, vitals, times.longest_hold)
    sockets = _remember_sockets(client, vitals, Reconnects(times.reach, client.shard_count or 1))
    discord.gateway.KeepAliveHandler = _Heartbeat  # type: ignore[misc]  # it has no other place for it
    try:
        while True:
            try:
                await _connect(client)
                code, told = "unreachable", GATEWAY_AWAY
            except HeldBackError as held:
                await _hang_up(client, sockets)
                await asyncio.sleep(held.seconds)
                pauses.begin()
                continue
            except (discord.ConnectionClosed, discord.PrivilegedIntentsRequired):
                raise
            except Exception as error:
                # A frame that isn't what Discord's gateway sends; its words may stand in the error's.
                await _hang_up(client, sockets)
                if client.is_closed():  # discord.py does that with shards; to listen once more takes a new client
                    raise
                code, told = type(error).__name__, AWAY
            _is_away(code, pause := pauses.next(), vitals, told)
            await asyncio.sleep(pause)
    except discord.PrivilegedIntentsRequired as error:
        raise SetupError(missing_intent(client.application_id)) from error
    except discord.ConnectionClosed as error:
        if error.code == 4004:
            raise SetupError(not_accepted(section)) from error
        raise SetupError(closed_for_good(error.code)) from error
    finally:
        await _hang_up(client, sockets)


class _Heartbeat(discord.gateway.KeepAliveHandler):
    """Beats as often as Discord asks, within bounds."""

    def __init__(self, *args: Any, interval: float | None = None, **kwargs: Any) -> None:
        bounded = min(max(interval or 0.0, SHORTEST_BEAT), LONGEST_BEAT)
        super().__init__(*args, interval=bounded, **kwargs)


def _remember_sockets(
    client: discord.Client, vitals: Vitals, reconnects: Reconnects
) -> WeakSet[aiohttp.ClientWebSocketResponse]:
    """Return what is to hold every socket that *client* opens: of one whose first frame is wrong it keeps nothing.

    One that it opens very soon after others waits.
    """
    sockets: WeakSet[aiohttp.ClientWebSocketResponse] = WeakSet()
    open_socket = client.http.ws_connect

    async def remember(*args: Any, **kwargs: Any) -> aiohttp.ClientWebSocketResponse:
        if pause := reconnects.pause():
            vitals.down(PART, "Discord closes each connection soon after it opens; waiting before the next one.")
            log.warning(
                "Discord closes each connection soon after it opens; waiting before the next one",
                seconds=round(pause, 3),
            )
            await asyncio.sleep(pause)
        try:
            socket = await open_socket(*args, **kwargs)
        except NETWORK as error:  # discord.py tries again by itself
            _tell_unreachable(args[0], error, vitals)
            raise
        sockets.add(socket)
        return socket

    client.http.ws_connect = remember  # type: ignore[method-assign]
    return sockets


def _tell_unreachable(url: object, error: BaseException, vitals: Vitals) -> None:
    vitals.down(PART, GATEWAY_AWAY)
    why = reason(error) if isinstance(error, OSError) else type(error).__name__
    log.warning("can't reach Discord's gateway; trying again", url=str(url), why=why)


def _plain(record: logging.LogRecord) -> bool:
    """Fifty lines for each try that failed say no more than one does, and that one is ours; of each try, nothing."""
    if str(record.msg).startswith("logging in using"):
        return False
    if str(record.msg).startswith(("Attempting a reconnect", "Failed to connect for shard")):
        record.exc_info = None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


for _name in ("discord.client", "discord.shard"):
    logging.getLogger(_name).addFilter(_plain)


async def _connect(client: discord.Client) -> None:
    """Return only if a connection that begins a session did not come about; any other discord.py makes again by itself."""
    try:
        await client.connect()
    except AttributeError:
        # discord.py 2.7 looks for the sequence of the connection before, and there is none.
        if client.ws is not None:
            raise


async def _hang_up(client: discord.Client, sockets: WeakSet[aiohttp.ClientWebSocketResponse]) -> None:
    """Close every connection, also one that was cut short while it came about: nothing else in discord.py ends that."""
    if isinstance(client, discord.AutoShardedClient):
        for shard in client.shards.values():
            await shard.disconnect()  # … and it does not come back
    for beating in threading.enumerate():
        if isinstance(beating, discord.gateway.KeepAliveHandler) and beating.ws._connection is client._connection:  # noqa: SLF001
            beating.stop()
            await beating.ws.close(code=1000)
    for socket in list(sockets):
        await socket.close(code=1000)


def _is_away(code: str, pause: float, vitals: Vitals, told: str = AWAY) -> None:
    vitals.down(PART, told)
    log.warning("Discord can't be reached; trying again", code=code, seconds=round(pause, 3))


def _hold_back(client: discord.Client, identify_budget: IdentifyBudget, vitals: Vitals, longest_hold: float) -> None:
    """Have every session's begin counted, and wait where there were many of late: discord.py would go on and on.

    A connection that comes about can't wait for long, so it fails. That of a shard is tried again by discord.py, with
    its own pauses; without shards, it is for `stay` to try again.
    """

    async def before_identify_hook(shard_id: int | None, *, initial: bool = False) -> None:
        shard = shard_id or 0
        if not initial and shard_id is None:
            # If this fails, discord.py would resume the session that was lost, again and again; without one, it ends.
            client.ws = None  # type: ignore[assignment]  # as long as it isn't connected
        if pause := await identify_budget.pause(shard):
            vitals.down(PART, "Connected to Discord very often lately; waiting.")
            log.warning(
                "connected to Discord very often lately; waiting, or it would revoke the token",
                shard=shard,
                seconds=round(pause),
            )
        if pause > longest_hold and shard_id is None:
            raise HeldBackError(pause)
        await asyncio.sleep(min(pause, longest_hold))
        if pause > longest_hold:
            raise TimeoutError
        await type(client).before_identify_hook(client, shard_id, initial=initial)
        await identify_budget.count(shard)

    client.event(before_identify_hook)
