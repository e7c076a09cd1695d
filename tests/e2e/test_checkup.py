"""What the doctor would say of a running process is said by the process: in its log, in /readyz and in a metric."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bots import app, checkup, platforms
from core.backoff import Backoff
from sandbox.upstream import Emulator
from tests.e2e.conftest import PATIENCE, SECRET_KEY, Side, section

GOOD = "a-good-token"


SOON = app.Times(
    checkup=checkup.Times(every=0.05, wrong=Backoff(first=0.05, longest=300.0), glances=0.05, limit=1.0), aside=0.2
)


@asynccontextmanager
async def running(url: str, *, every: float = SOON.checkup.every, **given: Any) -> AsyncIterator[app.Bobbin]:
    """A bot that looks after itself; it may never be ready."""
    settings = platforms.settings(
        **{"web": {"host": "127.0.0.1", "port": 0}, "database": {"url": url}, "secret_key": SECRET_KEY, **given}
    )
    times = replace(SOON, checkup=replace(SOON.checkup, every=every))
    bobbin = app.Bobbin(settings, platforms.configured(settings), checks=True, times=times)
    stop = asyncio.Event()
    task = asyncio.create_task(bobbin.run(stop))
    try:
        yield bobbin
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


def joined(side: Any) -> dict[str, Any]:
    return {side.name: section(side.name, side.local)}


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


def measured(bobbin: app.Bobbin, part: str) -> float | None:
    return bobbin.vitals.metrics._registry.get_sample_value("bobbin_not_ready", {"part": part})


def said(logs: Any, words: str) -> int:
    return sum(words in str(entry) for entry in logs)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(token=GOOD) as emulated:
        yield emulated


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("invalid_token", "Make a new one at"),
        ("used_up", "Top it up at"),
        ("html", "HTTP 502"),
        ("silent_before", "no answer within"),
    ],
)
async def test_who_can_not_get_an_answer_is_not_ready(
    emulator: Emulator, side: Side, sqlite_url: str, fault: str, words: str
) -> None:
    emulator.faults.replace({fault: True})
    with capture_logs() as logs:
        async with running(sqlite_url, upstream={"url": emulator.url, "token": GOOD}, **joined(side)) as bobbin:
            await until(lambda: words in bobbin.vitals.troubles.get("upstream setup", ""))
            assert measured(bobbin, "upstream setup") == 1
            await until(lambda: len(emulator.requests) >= 3)
            assert said(logs, words) == 1
            assert not said(logs, "'ready'")
            emulator.faults.clear()
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            await until(lambda: said(logs, "'ready'"))
            assert measured(bobbin, "upstream setup") == 0


async def test_all_is_well_after_one_question(emulator: Emulator, side: Side, sqlite_url: str) -> None:
    async with running(sqlite_url, upstream={"url": emulator.url, "token": GOOD}, **joined(side)) as bobbin:
        await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
        await asyncio.sleep(0)
        assert ["Say OK." in str(request.body) for request in emulator.requests] == [True]


async def test_one_token_of_several_is_named_and_people_get_answers(
    emulator: Emulator, side: Side, sqlite_url: str
) -> None:
    tokens = {"url": emulator.url, "tokens": f"wrong-token,{GOOD}"}
    with capture_logs() as logs:
        async with running(sqlite_url, upstream=tokens, **joined(side)) as bobbin:
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            await until(lambda: said(logs, "token 1 of 2"))


async def test_an_upstream_token_that_is_revoked_and_restored(emulator: Emulator, side: Side, sqlite_url: str) -> None:
    with capture_logs() as logs:
        async with running(sqlite_url, upstream={"url": emulator.url, "token": GOOD}, **joined(side)) as bobbin:
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            emulator.faults.replace({"invalid_token": True})
            thread = await side.open(1, "say exactly: one")
            await until(lambda: "refuses the token" in bobbin.vitals.troubles.get("upstream setup", ""))
            emulator.faults.clear()
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            await side.until(lambda: side.said(thread))
            await side.ask(thread, "say exactly: two")
            await side.until(lambda: any(is_bot and "two" in text for is_bot, text in side.said(thread)))
            assert said(logs, "the setup needs attention") == 1
            assert said(logs, "the setup is fine again") == 1


async def test_a_platforms_token_that_is_revoked_and_restored(emulator: Emulator, side: Any, sqlite_url: str) -> None:
    with capture_logs() as logs:
        async with running(sqlite_url, upstream={"url": emulator.url, "token": GOOD}, **joined(side)) as bobbin:
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            restore = side.revoke()
            part = f"{side.name} setup"
            await until(lambda: "does not accept BOBBIN_" in bobbin.vitals.troubles.get(part, ""))
            assert measured(bobbin, part) == 1
            restore()
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            assert measured(bobbin, part) == 0
            assert said(logs, "does not accept BOBBIN_") == 1


async def test_a_refused_post_has_the_token_looked_at_before_its_time(
    emulator: Emulator, side: Any, sqlite_url: str
) -> None:
    given: dict[str, Any] = {"upstream": {"url": emulator.url, "token": GOOD}, **joined(side)}
    async with running(sqlite_url, every=3600.0, **given) as bobbin:
        await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
        emulator.pace = 0.2  # the answer is on its way when the token goes
        await side.local.say("ada", "general", "@bobbin what is a bobbin?")
        await until(lambda: emulator.requests)
        restore = side.revoke()
        await until(lambda: "does not accept BOBBIN_" in bobbin.vitals.troubles.get(f"{side.name} setup", ""))
        restore()
        await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
