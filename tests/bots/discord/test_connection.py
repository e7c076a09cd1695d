"""A bot that starts, or loses its sessions, again and again keeps its token."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import discord
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bots.discord.connection import shard_of
from bots.discord.identify_budget import BACKOFF, FORGOTTEN_AFTER, MOST_FREE, STARTS_NOTE, IdentifyBudget, Tally
from bots.discord.times import USUAL
from bots.reconnects import WITHOUT_PAUSE, Reconnects
from core.backoff import Backoff
from core.errors import StorageUnavailable
from tests.bots.discord.conftest import House

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

DAY = 86_400.0
IDENTIFIES_A_DAY = 1_000  # https://discord.com/developers/docs/events/gateway#session-start-limit
NOTE = f"{STARTS_NOTE}/0"


def starts_of_a_day(shards: int, pause: Callable[[Tally, float], float]) -> list[float]:
    """When a shard identifies that loses every session half a second after it began."""
    now, tally, starts = 1e9, Tally(), list[float]()
    while (now := now + pause(tally, now) + 0.5) < 1e9 + DAY:
        tally = tally.plus_one(now, shards)
        starts.append(now)
    return starts


@pytest.mark.parametrize("shards", [1, 2, 4, 16, 64])
def test_whatever_happens_all_shards_together_stay_below_what_discord_allows(shards: int) -> None:
    starts = starts_of_a_day(shards, lambda tally, now: tally.pause(now, shards))
    assert len(starts) * shards < IDENTIFIES_A_DAY
    assert len(starts) * shards > IDENTIFIES_A_DAY / 3


def test_who_gives_up_waiting_and_is_started_anew_waits_on() -> None:
    tally = Tally(MOST_FREE + 3, 1_000.0)
    pause = tally.pause(1_000.0, 1)
    assert pause == BACKOFF.first * 8
    assert tally.pause(1_010.0, 1) == pause - 10
    assert tally.pause(1_000.0 + pause, 1) == 0


def test_a_usual_start_does_not_wait() -> None:
    assert Tally().pause(1_000.0, 1) == 0
    assert Tally(MOST_FREE - 1, 1_000.0).pause(1_000.0, 1) == 0


def test_what_was_long_ago_is_forgiven() -> None:
    assert Tally(MOST_FREE, 0.0).plus_one(FORGOTTEN_AFTER * (MOST_FREE + 1), 1) == Tally(1, 3_628.8)


def test_a_clock_that_was_wrong_does_not_keep_it_away_for_long() -> None:
    assert Tally(MOST_FREE + 9, 1e12).pause(1e9, 1) == FORGOTTEN_AFTER


async def test_while_the_database_is_away_it_counts_on() -> None:
    class Away:
        async def note(self, name: str) -> str | None:
            raise StorageUnavailable

        async def write_note(self, name: str, text: str) -> None:
            raise StorageUnavailable

    starts = IdentifyBudget(Away(), 1)
    for _ in range(MOST_FREE + 1):
        assert await starts.pause(0) == 0
        await starts.count(0)
    assert await starts.pause(0) > 0


# Against the local Discord


@pytest.fixture
def _unspaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py leaves five seconds between two identifies."""

    async def at_once(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)


@pytest.fixture
def hurried(_unspaced: None, house: House) -> House:
    """The first pause is of a second, and hardly any of it may pass while a connection comes about."""
    house.have_times(identify=Backoff(first=1.0, longest=FORGOTTEN_AFTER), longest_hold=0.1)
    return house


async def until(true: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.005)


async def tally(house: House, name: str = NOTE) -> Tally:
    return Tally(*json.loads(await house.ledger.note(name) or "[]"))


async def write_tally(house: House, count: float, name: str = NOTE) -> float:
    """Have it have started so often, the last time just now; return when that was."""
    now = time.time()
    await house.ledger.write_note(name, json.dumps([count, now]))
    return now


@pytest.mark.usefixtures("_unspaced")
async def test_a_session_that_was_lost_counts_as_well_as_a_start(house: House) -> None:
    gateway = house.discord.gateway
    async with house.listening():
        assert (await tally(house)).count == 1
        gateway.invalidate(resumable=False)
        await house.discord.wait_for(lambda: gateway.is_connected)
        assert (await tally(house)).count > 1.9
        gateway.drop(resumable=False)
        await house.discord.wait_for(lambda: gateway.is_connected)
        assert (await tally(house)).count > 2.9
        gateway.drop(resumable=True)
        await house.asked("@bobbin still there?")
        assert (await tally(house)).count < 3.1


async def test_after_a_lost_session_a_connection_that_fails_is_followed_by_another(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py alone goes on with the session that it has not, again and again."""
    failures = [ConnectionError()]

    async def fail_once(*_: object, initial: bool, **__: object) -> None:
        if failures and not initial:
            raise failures.pop()

    monkeypatch.setattr(discord.Client, "before_identify_hook", fail_once)
    async with house.listening():
        house.discord.gateway.invalidate(resumable=False)
        await house.discord.wait_for(lambda: house.discord.gateway.is_connected, 20)
        assert not failures


async def counted(house: House, count: float, name: str = NOTE) -> bool:
    return (await tally(house, name)).count > count


async def test_who_started_often_of_late_waits_before_it_starts(hurried: House) -> None:
    house = hurried
    last = await write_tally(house, MOST_FREE)
    async with house.listening():
        assert time.time() >= last + 1.0
        assert (await tally(house)).count > MOST_FREE


async def test_who_lost_many_sessions_of_late_waits_before_the_next(hurried: House) -> None:
    house = hurried
    async with house.listening():
        last = await write_tally(house, MOST_FREE)
        house.discord.gateway.invalidate(resumable=False)
        await until(lambda: counted(house, MOST_FREE + 0.5))
        assert (await tally(house)).last >= last + 1.0
        assert (await house.asked("@bobbin still there?")).question.text == "still there?"


async def test_a_shard_waits_as_well_and_has_a_count_of_its_own(hurried: House) -> None:
    house, guild = hurried.sharded(2), hurried.discord.guild_id
    async with house.listening():
        await until(lambda: counted(house, 0.9, f"{STARTS_NOTE}/0"))
        await until(lambda: counted(house, 0.9, f"{STARTS_NOTE}/1"))
        number = (guild >> 22) % 2
        last = await write_tally(house, MOST_FREE, name := f"{STARTS_NOTE}/{number}")
        session = next(one for one in house.discord.gateway._sessions.values() if one.shard == (number, 2))
        assert session.connection
        house.discord.gateway._sessions.pop(session.id)
        session.connection.send({"op": 9, "d": False})
        await until(lambda: counted(house, MOST_FREE + 0.5, name))
        assert (await tally(house, name)).last >= last + 2.0, "a second for each shard"
        assert (await tally(house, f"{STARTS_NOTE}/{1 - number}")).count < 1.1
        assert (await house.asked("@bobbin still there?")).question.text == "still there?"


def test_which_shard_has_a_server() -> None:
    alone = discord.Client(intents=discord.Intents.none())
    sharded = discord.AutoShardedClient(intents=discord.Intents.none(), shard_count=4)
    assert shard_of(6 << 22, alone) == 0
    assert shard_of(6 << 22, sharded) == 2
    assert shard_of(None, sharded) == 0


def test_connections_that_end_at_once_come_more_and_more_slowly() -> None:
    now = 0.0
    reconnects = Reconnects(USUAL.reach, 2, lambda: now)
    assert [reconnects.pause() for _ in range(2 * WITHOUT_PAUSE)] == [0.0] * 2 * WITHOUT_PAUSE
    pauses = [reconnects.pause() for _ in range(9)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (USUAL.reach.first, USUAL.reach.longest)
    now = 200.0
    assert reconnects.pause() == 0.0


@pytest.mark.parametrize("interval", [0, -5, 10**30, 10**400])
async def test_a_heartbeat_is_neither_a_storm_nor_none(house: House, interval: int) -> None:
    house.discord.faults.hello = {"heartbeat_interval": interval}
    listening = asyncio.create_task(house.chat.listen(house.relay))
    async with asyncio.timeout(20):
        while not house.discord.gateway.greeted:
            await asyncio.sleep(0.01)
        house.discord.faults.hello = None
        while not house.discord.gateway.identified:
            await asyncio.sleep(0.01)
    await house.asked("@bobbin there?")
    assert house.discord.gateway.greeted <= 2
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_server_that_closes_after_hello_is_met_with_growing_pauses(house: House) -> None:
    sockets = 0

    async def greet_and_close(request: web.Request) -> web.WebSocketResponse:
        nonlocal sockets
        sockets += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}})
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/", greet_and_close)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    closing = House(house.discord, house.section.model_copy(update={"gateway_url": url}), house.ledger)
    closing.have_times(reach=Backoff(first=0.01, longest=0.04, jitter=0.0, well_after=60.0))
    with capture_logs() as logs:
        listening = asyncio.create_task(closing.chat.listen(closing.relay))
        async with asyncio.timeout(30):
            while len(pauses := slowed(logs)) < 3 and not listening.done():
                await asyncio.sleep(0.005)
    assert pauses[:3] == [0.01, 0.02, 0.04]
    assert sockets <= WITHOUT_PAUSE + 3
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await runner.cleanup()


def slowed(logs: list[MutableMapping[str, Any]]) -> list[float]:
    return [one["seconds"] for one in logs if "closes each connection" in one["event"]]
