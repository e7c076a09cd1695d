"""What the whole bot may spend at Discord, against a Discord that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bots.bucket import Bucket
from bots.discord.pace import CALLS_A_SECOND

if TYPE_CHECKING:
    from sandbox.discord import Channel
    from tests.bots.discord.conftest import House

START_THREAD = "POST /channels/{channel_id}/messages/{message_id}/threads"
EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
TYPING = "POST /channels/{channel_id}/typing"
WHO_AM_I = "GET /users/@me"
CALLBACK = "POST /interactions/{interaction_id}/{token}/callback"  # it is free
ANSWERS, PAGES = 18, 4  # one page more, and each thread has its own limit to wait for
LONG = "\n\n".join("word " * 380 for _ in range(PAGES))


class Spent:
    """How often a call was counted, and how often Discord was called."""

    def __init__(self) -> None:
        self.counted = 0

    async def begin(self, house: House, where: Channel | str) -> None:
        """With nothing left to do of what is done at the start."""
        await house.settle(await house.show((await house.asked(to=where)).start("m").finish("Because.")))
        await until(lambda: not house.chat._indicator._tasks)
        house.woken.clear()
        self.counted = 0
        house.discord.calls.clear()
        house.discord._limits.on = False  # here it is only counted

    def is_right(self, house: House) -> bool:
        return self.counted == len(house.discord.calls) - house.calls(CALLBACK)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.005)


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> Spent:
    spent, take = Spent(), Bucket.take

    def count(bucket: Bucket) -> None:
        spent.counted += bucket._rate == CALLS_A_SECOND  # the one for all that the bot does
        take(bucket)

    monkeypatch.setattr(Bucket, "take", count)
    return spent


async def test_long_answers_that_end_at_once_stay_below_what_discord_takes(house: House) -> None:
    async with house.listening():
        for number in range(ANSWERS):
            await house.discord.say("ada", "general", f"@bobbin why {number}?")
        turns = await house.accepted(ANSWERS)
        await asyncio.gather(*(house.show(turn.start("m").finish(LONG)) for turn in turns))
        assert all(len(house.said(thread)) == PAGES for thread in house.discord.threads("general"))
        assert not any(call.status == 429 for call in house.discord.calls)
        made = [call.at for call in house.discord.calls]
        assert max(sum(at <= other < at + 1 for other in made) for at in made) < 50


async def test_every_call_is_counted_once(house: House, spent: Spent) -> None:
    async with house.listening():
        await spent.begin(house, "general")
        turn = await house.asked("@bobbin and this?", to="random")
        await house.discord.wait_for(lambda: house.calls(TYPING))
        turn = await house.show(turn.start("m").grow("Well"))
        turn = await house.show(turn.grow("word " * 600))
        (thread,) = house.discord.threads("random")
        await house.discord.archive(thread)
        await house.settle(await house.show(turn.fail("It broke.")))
        assert await house.ledger.reopen(turn.question.key)
        (turn,) = await house.accepted()
        turn = await house.show(turn.start("m").grow("word " * 900))
        await house.show(turn.finish("Because."))
        assert spent.is_right(house)


async def test_every_call_for_a_command_is_counted_once(house: House, spent: Spent) -> None:
    async with house.listening():
        await spent.begin(house, "general")
        turn = await house.asked_by_command(to="random")
        turn = await house.show(turn.start("m").grow("Well"))
        await house.show(turn.finish("word " * 900))
        assert spent.is_right(house)


async def test_what_was_deleted_while_a_page_waited_ends_the_turn(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = (await house.show(turn.start("m").grow("word " * 600))).finish("word " * 2_000)
        first = house.said(house.thread())[0]
        await house.chat.ready(turn)
        async with house.chat._pace._soon:
            showing = asyncio.create_task(house.chat.show(turn))
            await house.discord.wait_for(lambda: house.calls(EDIT))
            await house.discord.delete("ada", first)
            await until(lambda: first.id in house.chat._deleted)
        await showing
        assert len(house.said(house.thread())) == 1


async def test_a_sign_of_life_costs_what_it_calls(house: House, spent: Spent) -> None:
    async with house.listening():
        direct = house.discord.open_dm("ada")
        await spent.begin(house, direct)
        turn = await house.asked("and now?", to=direct)
        await house.discord.wait_for(lambda: house.calls(TYPING))
        house.chat._indicator.off(turn.id)
        await until(lambda: not house.chat._indicator._tasks)
        assert spent.is_right(house)


async def test_a_sign_of_life_that_comes_too_late_is_none(house: House, spent: Spent) -> None:
    async with house.listening():
        await spent.begin(house, "general")
        async with house.chat._pace._later:
            turn = await house.asked("@bobbin and this?", to="random")
            house.chat._indicator.off(turn.id)
        await until(lambda: not house.chat._indicator._tasks)
        assert not house.calls(START_THREAD)
        assert spent.is_right(house)


async def test_after_a_new_connection_no_question_waits_for_what_can_wait(house: House) -> None:
    async with house.listening():
        await house.asked()
    house.chat = house.build()
    await house.chat._pace._later.acquire()
    async with house.listening():
        turn = await house.asked("@bobbin and now?")
        assert turn.question.text == "and now?"
        house.chat._pace._later.release()


async def test_who_only_answers_logs_in_once(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
    house.chat = house.build()
    house.discord.calls.clear()
    turn = await house.show(turn.start("m").grow("Be"))
    await house.show(turn.finish("Because."))
    assert house.calls(WHO_AM_I) == 1


async def test_a_door_that_nobody_uses_is_closed(house: House) -> None:
    house.have_times(kept_open=0.0)
    async with house.chat._api.client() as client:
        pass
    await until(client.is_closed)
    async with house.chat._api.client() as another:
        assert not another.is_closed()


async def test_a_door_that_was_kept_open_is_closed_when_the_process_ends(house: House) -> None:
    async with house.chat._api.client() as client:
        pass
    assert not client.is_closed()
    closing = house.chat._api._closing
    assert closing
    await asyncio.sleep(0)  # it has begun
    closing.cancel()  # as asyncio does with all that is left
    await asyncio.wait({closing})
    assert client.is_closed()
