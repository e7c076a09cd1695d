"""People ask, the bot answers: on both platforms and both databases, over sockets."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from bots import app
from bots.slack.manifest import EVENTS, SCOPES
from core import presentation
from sandbox.slack import LocalSlack
from sandbox.upstream import Emulator
from tests.e2e.conftest import section


def answers(side: Any, thread: Any) -> list[str]:
    return [text for is_bot, text in side.said(thread) if is_bot]


async def test_a_question_is_answered_in_its_thread_and_the_thread_remembers(
    running: Any, side: Any, database_url: str
) -> None:
    async with running(database_url, side.name):
        thread = await side.open(1, "My favourite colour is teal.")
        await side.until(lambda: answers(side, thread))
        await side.ask(thread, "What is my favourite colour?")
        await side.until(lambda: len(answers(side, thread)) == 2 and "teal" in answers(side, thread)[1])


async def test_an_answer_grows_before_ones_eyes(running: Any, side: Any, sqlite_url: str, emulator: Emulator) -> None:
    emulator.pace = 0.05
    words = " ".join(f"word{number}" for number in range(70))
    async with running(sqlite_url, side.name) as bobbin:
        thread = await side.open(1, f"say exactly: {words}")
        await side.until(lambda: answers(side, thread) and answers(side, thread)[0].endswith("word69"))
        await bobbin.idle()
    grown = [re.sub(r"\s+", " ", text).strip() for text in side.seen_growing(thread)]
    assert len(grown) >= 2
    assert all(words.startswith(text) for text in grown)
    assert grown == sorted(grown, key=len)


async def test_people_are_notified_with_a_sentence_and_of_a_short_answer_once(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    """The first that is posted is what a notification says."""
    times = app.Times(presentation=presentation.Times(first_words=60.0))  # whatever the machine is busy with
    emulator.pace = 0.05
    words = " ".join(f"word{number}" for number in range(70))
    async with running(sqlite_url, side.name, times=times) as bobbin:
        long = await side.open(1, f"say exactly: The deployment failed. {words}")
        short = await side.open(2, "say exactly: The disk is full.")
        await side.until(lambda: answers(side, short))
        await side.until(lambda: answers(side, long) and answers(side, long)[0].endswith("word69"))
        await bobbin.idle()
    assert side.seen_growing(long)[0].startswith("The deployment failed.")
    assert len(side.seen_growing(long)) > 1
    assert side.seen_growing(short) == ["The disk is full."]


async def test_a_restart_between_two_questions_goes_on_in_the_same_conversation(
    running: Any, side: Any, database_url: str, emulator: Emulator
) -> None:
    async with running(database_url, side.name):
        thread = await side.open(1, "My favourite colour is teal.")
        await side.until(lambda: answers(side, thread))
    async with running(database_url, side.name):
        await side.ask(thread, "What is my favourite colour?")
        await side.until(lambda: len(answers(side, thread)) == 2)
    first, second = (request.body for request in emulator.requests)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert "id" not in first
    assert second["id"] == next(iter(emulator.conversations))
    assert "teal" in answers(side, thread)[1]


async def test_fifty_questions_in_ten_threads_are_each_answered_once_in_order_and_in_place(
    running: Any, side: Any, database_url: str, emulator: Emulator
) -> None:
    async with running(database_url, side.name, limits={"open_per_person": 50, "per_person_minute": 50}) as bobbin:
        threads = [await side.open(number, f"say exactly: {number}.0") for number in range(10)]

        async def go_on(number: int) -> None:
            for turn in range(1, 5):
                await side.ask(threads[number], f"say exactly: {number}.{turn}")

        await asyncio.gather(*(go_on(number) for number in range(10)))
        await side.until(lambda: sum(len(answers(side, thread)) for thread in threads) >= 50)
        await bobbin.idle()
    for number, thread in enumerate(threads):
        assert answers(side, thread) == [f"{number}.{turn}" for turn in range(5)]
    asked = Counter(json.dumps(request.body) for request in emulator.requests)
    assert len(asked) == 50
    assert set(asked.values()) == {1}


async def test_both_platforms_are_served_side_by_side(
    running: Any, sqlite_url: str, local_slack: Any, local_discord: Any
) -> None:
    async with running(sqlite_url, "slack", "discord"):
        await asyncio.gather(
            local_slack.say("ada", "general", "@bobbin say exactly: one"),
            local_discord.say("ada", "general", "@bobbin say exactly: two"),
        )
        await local_slack.wait_for(lambda: len(local_slack.messages("general")) == 2, 10)
        await local_discord.wait_for(
            lambda: any(
                message.content == "two"
                for thread in local_discord.threads()
                for message in local_discord.messages(thread)
            ),
            10,
        )


async def test_an_empty_mention_gets_a_hint_and_no_call(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name):
        thread = await side.open(1, "")
        await side.until(lambda: "Mention me and ask" in "".join(answers(side, thread)))
    assert not emulator.requests


async def test_a_question_that_is_too_long_is_told_the_limit(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name, limits={"question": 20}):
        thread = await side.open(1, "x" * 30)
        await side.until(lambda: "my limit is 20" in "".join(answers(side, thread)))
    assert not emulator.requests


@pytest.mark.parametrize("fault", ["too_many_requests", "cut", "empty", "html"])
async def test_an_upstream_that_fails_is_told_in_words(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator, fault: str
) -> None:
    emulator.faults.replace({fault: True})
    async with running(sqlite_url, side.name):
        thread = await side.open(1, "Why?")
        await side.until(lambda: "Reference:" in "".join(answers(side, thread)))
        emulator.faults.clear()
        await side.ask(thread, "say exactly: well again")
        await side.until(lambda: "well again" in "".join(answers(side, thread)))


async def test_a_budget_that_is_used_up_is_told_in_words_and_asked_for_once(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.set("used_up")
    async with running(sqlite_url, side.name):
        for number in range(2):
            thread = await side.open(number, "Why?")
            await side.until(lambda thread=thread: "budget is used up" in "".join(answers(side, thread)))
    assert len(emulator.requests) == 1


async def test_a_lost_conversation_is_rebuilt_and_nobody_notices(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name):
        thread = await side.open(1, "My favourite colour is teal.")
        await side.until(lambda: answers(side, thread))
        emulator.forget()
        await side.ask(thread, "What is my favourite colour?")
        await side.until(lambda: len(answers(side, thread)) == 2 and "teal" in answers(side, thread)[1])


async def test_a_conversation_that_lost_its_memory_without_a_word_is_mended_by_retry(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.set("unknown_id", "same")
    async with running(sqlite_url, side.name):
        thread = await side.open(1, "My favourite colour is teal.")
        await side.until(lambda: answers(side, thread))
        emulator.forget()
        await side.ask(thread, "What is my favourite colour?")
        await side.until(lambda: len(answers(side, thread)) == 2)
        assert "teal" not in answers(side, thread)[1]
        await side.command(thread, "retry")
        await side.until(lambda: "teal" in answers(side, thread)[1])


PINGS = {"slack": "<!channel> <!everyone> <!here> <@U1> <!subteam^S1>", "discord": "@everyone @here <@1> <@!1> <@&1>"}


async def test_nothing_in_an_answer_pings(running: Any, side: Any, sqlite_url: str) -> None:
    async with running(sqlite_url, side.name) as bobbin:
        thread = await side.open(1, f"say exactly: hello {PINGS[side.name]}")
        await side.until(lambda: answers(side, thread))
        await bobbin.idle()
    [answer] = answers(side, thread)
    assert answer.startswith("hello")
    assert not side.pings(thread)


async def test_no_database_no_acknowledgement_and_all_is_well_when_it_is_back(
    running: Any, local_slack: Any, postgres_url: str
) -> None:
    name = sql.Identifier(make_url(postgres_url).database or "")
    another = make_url(postgres_url).set(database="postgres").render_as_string(hide_password=False)
    async with running(postgres_url, "slack") as bobbin, httpx.AsyncClient(trust_env=False) as client:
        ready = f"http://127.0.0.1:{bobbin.web.port}/readyz"
        assert (await client.get(ready)).json() == {"ready": True, "troubles": {}}
        with psycopg.connect(another, autocommit=True) as server:
            server.execute(sql.SQL("alter database {} allow_connections false").format(name))
            server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                [make_url(postgres_url).database],
            )
            asked = await local_slack.say("ada", "general", "@bobbin say exactly: patience")
            while (answer := await client.get(ready)).status_code == 200:
                pass
            assert answer.json()["troubles"] == {"database": "can't be reached or written to"}
            await local_slack.wait_for(lambda: len(local_slack.deliveries) > 2, 10)
            assert len(local_slack.messages("general")) == 1
            server.execute(sql.SQL("alter database {} allow_connections true").format(name))
        await local_slack.wait_for(lambda: len(local_slack.messages("general")) == 2, 20)
        await bobbin.vitals.well()
        await bobbin.idle()
    assert json.dumps(local_slack.messages("general", asked.ts)[1].blocks).count("patience") == 1


async def test_an_answer_that_does_not_end_is_cut_off_and_that_is_told(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.set("huge", "200000")
    async with running(sqlite_url, side.name, limits={"answer": 1_500}) as bobbin:
        thread = await side.open(1, "Why?")
        await side.until(lambda: "stopped this answer at 1,500 characters" in "".join(answers(side, thread)))
        await bobbin.idle()
        assert len("".join(answers(side, thread))) < 2_000
        emulator.faults.clear()
        await side.ask(thread, "say exactly: well again")
        await side.until(lambda: "well again" in "".join(answers(side, thread)))


async def test_a_database_whose_file_is_gone_is_told_and_takes_no_question(
    running: Any, local_slack: Any, tmp_path: Path
) -> None:
    file = tmp_path / "bobbin.db"
    async with running(f"sqlite:///{file}", "slack") as bobbin, httpx.AsyncClient(trust_env=False) as client:
        ready = f"http://127.0.0.1:{bobbin.web.port}/readyz"
        assert (await client.get(ready)).status_code == 200
        moved = file.rename(tmp_path / "moved.db")
        asked = await local_slack.say("ada", "general", "@bobbin say exactly: patience")
        while (answer := await client.get(ready)).status_code == 200:
            pass
        assert answer.json()["troubles"] == {"database": "can't be reached or written to"}
        await local_slack.wait_for(lambda: len(local_slack.deliveries) > 2, 10)
        assert not file.exists()
        moved.rename(file)
        await local_slack.wait_for(lambda: len(local_slack.messages("general", asked.ts)) == 2, 20)
        await bobbin.idle()


@pytest.mark.usefixtures("local_slack")  # whom `running` asks for, though another takes its place
async def test_what_slack_gave_up_on_while_the_database_was_away_is_read_back(running: Any, tmp_path: Path) -> None:
    """Slack brings an event again for six minutes; here not at all."""
    file = tmp_path / "bobbin.db"
    async with (
        LocalSlack(scopes=SCOPES, events=EVENTS, retry_seconds=()) as slack,
        running(f"sqlite:///{file}", "slack", slack=section("slack", slack)) as bobbin,
    ):
        moved = file.rename(tmp_path / "moved.db")
        asked = await slack.say("ada", "general", "@bobbin say exactly: patience")
        await slack.wait_for(lambda: len(slack.deliveries) == 2, 20)  # the mention's two events
        assert not any(one.acknowledged for one in slack.deliveries)
        moved.rename(file)
        await slack.wait_for(lambda: len(slack.messages("general", asked.ts)) == 2, 20)
        await bobbin.idle()
    assert "patience" in json.dumps(slack.messages("general", asked.ts)[1].blocks)
