"""Gets the connection to Discord's gateway up, and takes it down without leaving anything behind."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from typing import TYPE_CHECKING

import discord
import structlog

from bots.discord.errors import NETWORK, translate
from core.errors import ChatBusy, SetupError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from bots.discord.door import Door
    from bots.kit import Notes
    from core.vitals import Vitals

PART = "discord"  # the word for it on the health page
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0  # seconds between tries to reach Discord

# Who identifies more than 1,000 times in 24 hours loses all sessions and the token:
# https://discord.com/developers/docs/events/gateway#session-start-limit
STARTS_NOTE = "discord/starts"
FREE_STARTS = 20
STARTS_WINDOW = 3_600.0  # seconds in which so many starts are free …
PAUSE_BETWEEN_STARTS = 180.0  # … and in seconds, what lies between the others: not 500 a day

log = structlog.get_logger(__name__)

NOT_ACCEPTED = (
    "Discord does not accept BOBBIN_DISCORD__TOKEN. Copy it anew (“Reset Token” on the page “Bot” of your application "
    "at https://discord.com/developers/applications)."
)


def missing_intent(application_id: int | None) -> str:
    return (
        "Discord does not let the bot read messages: switch on “Message Content Intent” at "
        f"https://discord.com/developers/applications/{application_id or ''}/bot, or set "
        "BOBBIN_DISCORD__MESSAGE_CONTENT=false to answer mentions, direct messages and commands only."
    )


async def enter(door: Door, stack: AsyncExitStack, vitals: Vitals) -> discord.Client:
    """Open *door* for as long as *stack*, however long Discord can't be reached. Raises SetupError for a wrong token."""
    delay = FIRST_DELAY
    while True:
        try:
            return await stack.enter_async_context(door.client())
        except discord.LoginFailure as error:
            raise SetupError(NOT_ACCEPTED) from error
        except (discord.DiscordException, *NETWORK) as error:
            trouble = translate(error)
            if not isinstance(trouble, ChatBusy):
                raise SetupError(f"Discord refuses the bot's login (code {trouble.code}).") from error
            await _wait(max(delay, trouble.retry_after or 0), trouble.code, vitals)
            delay = min(delay * 2, LONGEST_DELAY)


async def stay(client: discord.Client, vitals: Vitals) -> None:
    """Stay connected until cancelled; the client is left logged in. Raises SetupError for what can never work."""
    delay = FIRST_DELAY
    try:
        while True:
            await _connect(client)
            await _wait(delay, "unreachable", vitals)
            delay = min(delay * 2, LONGEST_DELAY)
    except discord.PrivilegedIntentsRequired as error:
        raise SetupError(missing_intent(client.application_id)) from error
    except discord.ConnectionClosed as error:
        # Those that are left can't be mended by trying again:
        # https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
        if error.code == 4004:
            raise SetupError(NOT_ACCEPTED) from error
        raise SetupError(f"Discord's gateway does not take the bot (close code {error.code}).") from error
    finally:
        await _hang_up(client)


async def _connect(client: discord.Client) -> None:
    """Return only if the first connection did not come about; afterwards discord.py connects again by itself."""
    try:
        await client.connect()
    except AttributeError:
        # discord.py 2.7 looks for the sequence of the connection before, and there is none.
        if client.ws is not None:
            raise


async def _hang_up(client: discord.Client) -> None:
    """Close every connection, also one that was cut short while it came about: nothing else in discord.py ends that."""
    if isinstance(client, discord.AutoShardedClient):
        for shard in client.shards.values():
            await shard.disconnect()  # … and it does not come back
    for beating in threading.enumerate():
        if isinstance(beating, discord.gateway.KeepAliveHandler) and beating.ws._connection is client._connection:  # noqa: SLF001
            beating.stop()
            await beating.ws.close(code=1000)


async def _wait(delay: float, code: str, vitals: Vitals) -> None:
    vitals.down(PART, "Discord can't be reached; trying again.")
    log.warning("Discord can't be reached; trying again.", code=code, delay=delay)
    await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)


async def hold_back(notes: Notes, clock: Callable[[], float] = time.time) -> None:
    """Wait if the bot was started very often of late: a crash loop must not cost it its token."""
    try:
        starts = json.loads(await notes.note(STARTS_NOTE) or "[]")
        pause = pause_before(starts, clock())
        await notes.write_note(STARTS_NOTE, json.dumps([*starts, round(clock() + pause)][-FREE_STARTS:]))
    except StorageUnavailable:
        log.warning("can't tell how often Discord was connected to of late")
        return
    if pause:
        log.warning("started very often of late; waiting, or Discord would take the token away", seconds=round(pause))
        await asyncio.sleep(pause)


def pause_before(starts: list[float], now: float) -> float:
    """Seconds to wait before another start, after *starts* at those seconds since 1970."""
    recent = [at for at in starts if at > now - STARTS_WINDOW]
    return 0.0 if len(recent) < FREE_STARTS else max(0.0, recent[-1] + PAUSE_BETWEEN_STARTS - now)
