"""The whole bot between a local Slack and the service's stand-in: what a person in Slack sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest

from bots import platforms
from bots.app import Bobbin
from bots.slack.manifest import EVENTS, SCOPES
from sandbox.slack import LocalSlack, Message, shown
from sandbox.upstream import Emulator


@asynccontextmanager
async def running(slack: LocalSlack, upstream: Emulator, database: str, grace: float = 5) -> AsyncIterator[None]:
    """The bot, from its start to its orderly end."""
    settings = platforms.settings(
        upstream={"url": upstream.url, "token": "local"},
        database={"url": database},
        web={"host": "127.0.0.1", "port": 0},
        slack={"bot_token": slack.bot_token, "app_token": slack.app_token, "api_url": slack.api_url},
        shutdown_grace=grace,
    )
    bobbin = Bobbin(settings, ["slack"])
    stop = asyncio.Event()
    run = asyncio.create_task(bobbin.run(stop))
    ready = asyncio.create_task(bobbin.vitals.well())
    await asyncio.wait({run, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        ready.cancel()
        stop.set()
        await run


def answers(slack: LocalSlack, question: Message) -> list[Message]:
    thread = slack.messages(question.channel, question.thread_ts or question.ts)
    return [message for message in thread if message.bot_id == slack.bot_id]


def is_done(slack: LocalSlack, question: Message) -> bool:
    """Answered, and the sign is off."""
    (asked,) = [each for each in slack.messages(question.channel) if each.ts == question.ts]
    return bool(answers(slack, question)) and not asked.reactions


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(scopes=SCOPES, events=EVENTS) as running_slack:
        yield running_slack


async def test_a_mention_is_answered_in_its_thread(slack: LocalSlack, sqlite_url: str) -> None:
    async with Emulator() as upstream, running(slack, upstream, sqlite_url):
        question = await slack.say("ada", "general", "@bobbin what is a bobbin?")
        await slack.wait_for(lambda: is_done(slack, question))
    (answer,) = answers(slack, question)
    assert shown(answer)
    assert len(upstream.requests) == 1


async def test_a_crowd_is_answered_within_slacks_limits(slack: LocalSlack, sqlite_url: str) -> None:
    async with Emulator(pace=0.02) as upstream, running(slack, upstream, sqlite_url):
        places = [slack.add_channel(f"room-{number}", "ada", "ben", slack.bot_user_id) for number in range(12)]
        # Of two, since of one person only so many questions may be open.
        questions = [
            await slack.say(asker, place, "@bobbin hello")
            for place, asker in zip(places, cycle(("ada", "ben")), strict=False)
        ]
        await slack.wait_for(lambda: all(answers(slack, question) for question in questions), timeout=30)
    assert all(len(answers(slack, question)) == 1 for question in questions)
    assert not [call for call in slack.calls if call.status == 429]


async def test_a_restart_goes_on_in_the_same_message(slack: LocalSlack, sqlite_url: str) -> None:
    async with Emulator(pace=0.02, faults="silent_within*1") as upstream:
        async with running(slack, upstream, sqlite_url, grace=0):
            question = await slack.say("ada", "general", "@bobbin hello")
            await slack.wait_for(lambda: answers(slack, question))
        async with running(slack, upstream, sqlite_url):
            await slack.wait_for(lambda: is_done(slack, question), timeout=15)
    (answer,) = answers(slack, question)
    assert len(answer.versions) > 1


async def test_a_platform_that_was_away_gets_the_answer_later(slack: LocalSlack, sqlite_url: str) -> None:
    async with Emulator() as upstream, running(slack, upstream, sqlite_url):
        slack.faults.rate_limit("chat.postMessage", retry_after=1, times=3)
        question = await slack.say("ada", "general", "@bobbin hello")
        await slack.wait_for(lambda: answers(slack, question), timeout=20)
    assert len(answers(slack, question)) == 1
    assert len(upstream.requests) == 1
