"""The work spread over processes: who listens, who answers, and which shards."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import discord
import httpx
import pytest
from sqlalchemy import text

from bots.roles import Roles
from core.errors import SetupError
from core.storage.database import open_database
from sandbox.upstream import Emulator


async def recorded(url: str) -> None:
    """Wait until a question is."""
    database = open_database(url)
    async with asyncio.timeout(30):
        while not await database.run(lambda connection: connection.scalar(text("select count(*) from turns"))):
            await asyncio.sleep(0.05)
    await database.close()


async def test_one_process_listens_and_another_answers(running: Any, side: Any, postgres_url: str) -> None:
    async with running(postgres_url, side.name, only=["worker"]):
        async with running(postgres_url, side.name, only=[side.name]):
            thread = await side.open(1, "say exactly: one")
            await side.until(lambda: (True, "one") in side.said(thread))
        async with running(postgres_url, side.name, only=[side.name]):
            await side.ask(thread, "say exactly: two")
            await side.until(lambda: (True, "two") in side.said(thread))


async def test_a_command_is_answered_where_it_was_used_by_whichever_process(
    running: Any, local_discord: Any, postgres_url: str
) -> None:
    async with (
        running(postgres_url, "discord", only=["worker"]),
        running(postgres_url, "discord", only=["discord"]) as hearing,
    ):
        await hearing.vitals.well()
        asked = await local_discord.slash("ada", "general", "ask", question="say exactly: one")
        await local_discord.wait_for(lambda: asked.response and "one" in asked.response.content.splitlines()[-1:], 20)
        assert len([message for message in local_discord.messages("general") if message.author.is_bot]) == 1


async def test_what_was_heard_before_anybody_could_answer_is_answered(
    running: Any, side: Any, postgres_url: str, emulator: Emulator
) -> None:
    async with running(postgres_url, side.name, only=[side.name]):
        thread = await side.open(1, "say exactly: one")
        await recorded(postgres_url)
    assert not emulator.requests
    async with running(postgres_url, side.name, only=["worker"]):
        await side.until(lambda: (True, "one") in side.said(thread))


async def test_a_sharded_bot_answers(running: Any, local_discord: Any, sqlite_url: str) -> None:
    async with running(sqlite_url, "discord", discord={"shard_count": 2}):
        said = await local_discord.say("ada", "general", "@bobbin say exactly: one")
        await local_discord.wait_for(
            lambda: said.thread and [m for m in local_discord.messages(said.thread) if m.content == "one"], 20
        )
        assert len([m for m in local_discord.messages(said.thread) if m.author.is_bot and m.content]) == 1
    # The second shard was still identifying itself, as it has to do some seconds after the first.
    for beating in threading.enumerate():
        if isinstance(beating, discord.gateway.KeepAliveHandler):
            beating.join(2)
            assert not beating.is_alive()


async def test_who_is_ending_is_not_ready(running: Any, local_slack: Any, sqlite_url: str, emulator: Emulator) -> None:
    emulator.pace = 0.02
    looked: list[int] = []

    async def look(bobbin: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while 503 not in looked:
                looked.append((await client.get(f"http://127.0.0.1:{bobbin.web.port}/readyz")).status_code)

    async with running(sqlite_url, "slack") as bobbin:
        await local_slack.say("ada", "general", "@bobbin count to 100")
        await local_slack.wait_for(lambda: len(local_slack.messages("general")) > 1, 10)
        looking = asyncio.create_task(look(bobbin))
    await asyncio.wait_for(looking, 10)
    assert looked[-1] == 503


def test_what_a_process_does_is_chosen_by_its_parts() -> None:
    both = ("discord", "slack")
    assert Roles.of(both, [], shares_its_work=True) == Roles(both, works=True)
    assert Roles.of(both, ["slack"], shares_its_work=True) == Roles(("slack",), works=False)
    assert Roles.of(both, ["slack", "worker"], shares_its_work=True) == Roles(("slack",), works=True)
    assert Roles.of(both, ["worker"], shares_its_work=True) == Roles((), works=True)
    assert Roles.of(both, ["slack"], shares_its_work=False) == Roles(("slack",), works=True)


@pytest.mark.parametrize(
    ("only", "shares", "why"), [("telegraph", True, "no such part"), ("worker", False, "embedded")]
)
def test_a_part_that_cannot_be_alone_is_refused(only: str, shares: bool, why: str) -> None:  # noqa: FBT001
    with pytest.raises(SetupError, match=why):
        Roles.of(["slack"], [only], shares_its_work=shares)
