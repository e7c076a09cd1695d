"""What Discord's threads are called: after their question, and better, unless somebody has named them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import ChatLimited

if TYPE_CHECKING:
    from core.turn import Turn
    from tests.bots.discord.conftest import House

RENAME = "PATCH /channels/{channel_id}"


async def answered(house: House, text: str) -> Turn:
    turn = await house.asked(text)
    return await house.show(turn.start("m").finish("Because."))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("@bobbin **why** is the sky blue? I wonder.", "why is the sky blue?"),
        ("@bobbin ask @ben about [this](https://example.org/a) please", "ask Ben about this please"),
        ("@bobbin @everyone look", "everyone look"),
        ("@bobbin 为什么天空是蓝色的？请解释。", "为什么天空是蓝色的？"),
        ("@bobbin لماذا السماء زرقاء؟ اشرح لي", "لماذا السماء زرقاء؟"),
    ],
)
async def test_a_thread_is_called_by_its_question_at_once(house: House, text: str, title: str) -> None:
    async with house.listening():
        turn = await house.asked(text)
        await house.show(turn.start("m").grow("Because it is so."))
        assert house.thread().name == title


async def test_a_thread_gets_a_better_name(house: House) -> None:
    async with house.listening():
        turn = await answered(house, "@bobbin why?")
        assert house.chat.has_title(turn)
        await house.chat.retitle(turn, "Reasons for all of it")
        assert house.thread().name == "Reasons for all of it"
        await house.chat.retitle(turn, "Others")
        assert house.thread().name == "Reasons for all of it", "once it is no longer called by its question"


async def test_another_process_that_does_not_listen_gives_it_as_well(house: House) -> None:
    async with house.listening():
        turn = await answered(house, "@bobbin why?")
    house.chat = house.build()
    await house.chat.retitle(turn, "Reasons for all of it")
    assert house.thread().name == "Reasons for all of it"


async def test_what_somebody_named_keeps_its_name(house: House) -> None:
    async with house.listening():
        turn = await answered(house, "@bobbin why?")
        await house.discord.rename(house.thread(), "Ada's thread")
        await house.chat.retitle(turn, "Reasons")
        assert house.thread().name == "Ada's thread"
        assert house.calls(RENAME) == 0


@pytest.mark.parametrize("locked", [False, True])
async def test_a_thread_at_rest_is_not_woken_for_it(house: House, locked: bool) -> None:  # noqa: FBT001
    async with house.listening():
        turn = await answered(house, "@bobbin why?")
        await house.discord.archive(house.thread(), locked=locked)
        await house.chat.retitle(turn, "Reasons")
        assert house.thread().name == "why?"


async def test_discords_limit_of_renames_is_not_waited_for(house: House) -> None:
    """Two in ten minutes; its headers tell of none."""
    async with house.listening():
        turn = await answered(house, "@bobbin why?")
        for _ in range(2):
            house.discord._limits.spend_rename(house.thread().id)
        with pytest.raises(ChatLimited):
            await house.chat.retitle(turn, "Reasons")
        assert house.thread().name == "why?"


async def test_what_no_thread_was_begun_for_has_no_title(house: House) -> None:
    async with house.listening():
        turn = await answered(house, "@bobbin why?")
        await house.settle(turn)
        await house.discord.say("ada", house.thread(), "and how?")
        follow_up = (await house.accepted(2))[-1]
        direct = await house.asked("why?", to=house.discord.open_dm("ada"))
        command = await house.asked_by_command()
        assert [house.chat.has_title(one) for one in (turn, follow_up, direct, command)] == [True, False, False, False]
