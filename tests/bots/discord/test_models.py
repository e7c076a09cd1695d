"""Switching models in Discord: by /model, completed from memory, in threads by those who began them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bots.discord.ids import thread_in
from bots.discord.languages import in_slashes
from core.chat import PLACE
from core.errors import UnknownModel
from core.models import KNOWN
from core.relay import Relay

if TYPE_CHECKING:
    from sandbox.discord import Channel, Interaction, User
    from tests.bots.discord.conftest import House


async def told(house: House, interaction: Interaction) -> str:
    await house.discord.wait_for(lambda: interaction.answered or interaction.failed)
    assert interaction.response
    return interaction.response.content


async def model(house: House, who: User | str, where: Channel | str, **options: str) -> Interaction:
    return await house.discord.slash(who, where, "model", **options)


@pytest.mark.parametrize(("command", "option"), [("model", "name"), ("preset set", "model")])
async def test_models_are_completed_at_once_best_first_and_no_more_than_discord_takes(
    house: House, command: str, option: str
) -> None:
    async with house.listening():
        house.ledger.is_away = True  # nothing is looked up
        house.ledger.is_quick.clear()

        async def suggested(typed: str) -> list[str]:
            choices = await house.discord.autocomplete("ben", "general", command, focused=option, **{option: typed})
            return [choice["value"] for choice in choices]

        assert (await suggested("gpt4o"))[:2] == ["gpt-4o", "gpt-4o-mini"]
        assert await suggested("zzz") == []
        everything = await suggested("")
        assert len(everything) == 25
        assert set(everything) <= {"default", *KNOWN}
        house.ledger.is_quick.set()
        house.ledger.is_away = False


async def test_a_thread_is_switched_and_back_by_who_began_it(house: House) -> None:
    async with house.listening():
        turn = await house.asked(user="ben")
        await house.settle(await house.show(turn.start("m").finish("Because.")))
        thread = house.thread()
        done = await model(house, "ben", thread, name="GPT-4o")
        assert "`gpt-4o` answers (set in this thread)" in await told(house, done)
        assert "`/model name:reset` goes back" in await told(house, done)
        assert not done.ephemeral
        assert "`model-a` answers (default)" in await told(house, await model(house, "ben", "general"))
        cem = house.discord.add_user("cem")
        refused = await model(house, cem, thread, name="o3")
        assert "the person who started a thread" in await told(house, refused)
        assert refused.ephemeral
        shown = await model(house, cem, thread)
        assert "`gpt-4o`" in await told(house, shown)
        assert shown.ephemeral
        back = await model(house, "ada", thread, name="default")  # she manages the channel
        assert "`model-a` answers (default)" in await told(house, back)


async def test_in_a_channel_it_is_for_those_who_manage_it(house: House) -> None:
    async with house.listening():
        assert "can switch its model" in await told(house, await model(house, "ben", "general", name="o3"))
        done = await model(house, "ada", "general", name="o3")
        assert "`o3` answers (set in this channel)" in await told(house, done)
        direct = await model(house, "ben", house.discord.open_dm("ben"), name="o3")
        assert "`o3` answers (set in this conversation)" in await told(house, direct)


class Trials:
    def __init__(self, house: House) -> None:
        self.house = house
        presets, ledger = dict(house.relay._presets), house.ledger
        house.relay = Relay(ledger, house.woken.append, presets, longest_question=10_000, trial=self)  # type: ignore[arg-type]

    async def check(self, name: str, **_: object) -> None:
        (interaction,) = self.house.discord.interactions
        await self.house.discord.wait_for(lambda: interaction.thinking)
        if name != "new-1":
            raise UnknownModel(name, ["o1"])


@pytest.mark.parametrize(
    ("name", "said"), [("new-1", "`new-1` answers (set in this channel)"), ("newer-1", "Did you mean `o1`?")]
)
async def test_while_a_model_is_tried_discord_knows_that_an_answer_comes(house: House, name: str, said: str) -> None:
    Trials(house)
    async with house.listening():
        interaction = await model(house, "ada", "general", name=name)
        await house.discord.wait_for(lambda: interaction.response and said in interaction.response.content)
        assert not interaction.failed


async def test_help_tells_of_it_as_it_is_typed_in_discord(house: House) -> None:
    async with house.listening():
        listed = await told(house, await house.discord.slash("ben", "general", "help"))
        assert "`/model name:NAME`" in listed
        assert "`/model` says which one" in listed
        assert "`/model name:reset`" in listed


@pytest.mark.parametrize("is_direct", [False, True])
async def test_who_is_told_of_a_model_is_told_in_private_and_where(house: House, is_direct: bool) -> None:  # noqa: FBT001
    async with house.listening():
        direct, general = house.discord.open_dm("ben"), house.discord.channel("general")
        guild, channel = (None, direct) if is_direct else (house.discord.guild_id, general)
        await house.chat.notify(
            str(house.discord.user("ben").id), thread_in(guild, channel.id), f"@everyone in {PLACE}."
        )
        [said] = house.said(direct)
        assert said.content == f"@everyone in {'our direct messages' if is_direct else f'<#{general.id}>'}."
        assert not said.mention_everyone


@pytest.mark.parametrize(
    ("said", "here"),
    [
        (
            "Use `preset set model MODEL` there, or `model NAME`.",
            "Use `/preset set model:MODEL` there, or `/model name:NAME`.",
        ),
        (
            "Write `preset set follow mention`; see `preset show`.",
            "Write `/preset set follow:mention`; see `/preset show`.",
        ),
        ("Once it has, `retry` replaces it.", "Once it has, `/retry` replaces it."),
        ("Here, `model-x` answers, until you write `unmute`.", "Here, `model-x` answers, until you write `unmute`."),
    ],
)
def test_a_command_is_named_as_it_is_given_here(said: str, here: str) -> None:
    assert in_slashes(said) == here


async def test_what_the_service_says_of_commands_stays_as_it_is(house: House) -> None:
    async with house.listening():
        turn = await house.asked(user="ben")
        await house.settle(await house.show(turn.start("m").finish("Write `retry`.")))
        assert [one.content for one in house.said(house.thread())] == ["Write `retry`."]
