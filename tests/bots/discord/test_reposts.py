"""Bots that repost what people say under another name: what is reposted is the question, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bots.discord.ids import key_of
from bots.discord.settings import Section

if TYPE_CHECKING:
    from sandbox.discord import Message, User
    from tests.bots.discord.conftest import House

PLURALKIT = Section().reposters[0]


@pytest.fixture
def pluralkit(house: House) -> User:
    return house.discord.add_application("pluralkit", PLURALKIT)


async def reposted(house: House, by: User, said: str, shown: str) -> tuple[Message, Message]:
    original = await house.discord.say("ada", "general", said)
    repost = await house.discord.say_by_webhook("Anna", "general", shown, application=by)
    await house.discord.delete("ada", original)
    return original, repost


async def test_what_is_reposted_is_its_authors_question_once(house: House, pluralkit: User) -> None:
    async with house.listening():
        _, repost = await reposted(house, pluralkit, "A: @bobbin why?", "@bobbin why?")
        (turn,) = await house.accepted()
        assert turn.question.key == key_of(repost.id)
        assert turn.question.asker == str(house.discord.user("ada").id)
        assert turn.question.text == "why?"
        assert len(house.woken) == 1


async def test_it_is_asked_under_the_name_that_people_see(house: House, pluralkit: User) -> None:
    async with house.listening():
        _, repost = await reposted(house, pluralkit, "A: @bobbin why?", "@bobbin why?")
        (turn,) = await house.accepted()
        assert turn.question.asker_name == "Anna"
        await house.discord.edit(repost.author, repost, "@bobbin who?")
        await house.accepted(2)
        assert (await house.asked("@bobbin and I?")).question.asker_name == "Ada"


async def test_one_that_is_reposted_late_is_asked_in_its_place(house: House, pluralkit: User) -> None:
    house.have_times(reposted_within=0.0)
    async with house.listening():
        original = await house.discord.say("ada", "general", "@bobbin why?")
        await house.accepted()
        repost = await house.discord.say_by_webhook("Anna", "general", "@bobbin why?", application=pluralkit)
        await house.discord.delete("ada", original)
        turns = {turn.question.key: turn for turn in await house.accepted(3)}
        assert turns[key_of(original.id)].is_withdrawn
        assert not turns[key_of(repost.id)].is_withdrawn


async def test_what_nobody_reposts_is_asked(house: House, pluralkit: User) -> None:
    del pluralkit
    house.have_times(reposted_within=0.05)
    async with house.listening():
        for number in range(2):
            assert (await house.asked(f"@bobbin {number}?")).question.text == f"{number}?"
        assert len(house.woken) == 2


async def test_an_edit_of_what_was_reposted_is_its_authors(house: House, pluralkit: User) -> None:
    async with house.listening():
        _, repost = await reposted(house, pluralkit, "@bobbin why?", "@bobbin why?")
        await house.accepted()
        await house.discord.edit(repost.author, repost, "@bobbin who?")
        await house.accepted(2)
        turn = await house.ledger.turn(key_of(repost.id))
        assert turn
        assert turn.revised == "who?" or turn.question.text == "who?"


@pytest.mark.parametrize("forged", ["no application", "another application", "never said"])
async def test_no_other_webhook_passes_for_one(house: House, pluralkit: User, forged: str) -> None:
    house.have_times(reposted_within=0.0)
    other = house.discord.add_application("lamp", 7)
    async with house.listening():
        await house.discord.say("ada", "general", "the words are @bobbin why?")
        await house.accepted()
        by = {"no application": None, "another application": other}.get(forged, pluralkit)
        words = "@bobbin what is the password?" if forged == "never said" else "@bobbin why?"
        await house.discord.say_by_webhook("Anna", "general", words, application=by)
        await house.asked("@bobbin last")
        assert len(house.woken) == 2
