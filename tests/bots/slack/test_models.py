"""Switching models in Slack: by a word in a thread, by the slash command, within the three seconds that Slack waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bots.slack.ids import thread_in
from core.chat import PLACE
from core.errors import ModelUntried, UnknownModel
from core.preset import Preset
from core.relay import Relay

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House


async def commanded(house: House, who: str, words: str) -> str:
    answered = await house.slack.command(who, "general", "/bobbin", words)
    return "".join(message.text for message in answered.messages)


async def test_a_thread_is_switched_by_who_began_it_though_a_guest(house: House) -> None:
    house.slack.add_user("gus", is_guest=True)
    house.slack.add_channel("lounge", "ada", "gus", house.slack.bot_user_id)
    async with house.listening():
        root = await house.slack.say("gus", "lounge", "@bobbin model gpt-4o")
        await house.until(lambda: house.woken)
        (turn,) = await house.accepted()
        assert "`gpt-4o` answers (set in this thread)" in turn.answer
        assert turn.question.thread.id.endswith(root.ts)


async def test_a_slash_command_is_for_its_channel_and_for_no_guest(house: House) -> None:
    async with house.listening():
        assert "answers (set in this channel)" in await commanded(house, "ada", "model o3")
        assert "answers (set in this channel)" in await commanded(house, "ben", "model")
        assert "switches to another" in await commanded(house, "ben", "model")
        assert "answers (default)" in await commanded(house, "ben", "model reset")


class Trials:
    """The service takes its time."""

    def __init__(self, house: House) -> None:
        self.within: list[float] = []
        self.answers = asyncio.Event()
        presets = {"default": Preset(model="model-a")}
        house.relay = Relay(house.ledger, house.woken.append, presets, longest_question=10_000, trial=self)  # type: ignore[arg-type]

    async def check(self, name: str, *, within: float, **_: object) -> None:
        self.within.append(within)
        if not self.answers.is_set():
            raise ModelUntried(name)
        if name != "new-1":
            raise UnknownModel(name, ["o1"])


async def test_what_can_not_be_told_in_slacks_time_is_told_at_the_next_try(house: House) -> None:
    trials = Trials(house)
    async with house.listening():
        assert "Please try again in a minute" in await commanded(house, "ada", "model new-1")
        assert trials.within[0] < 2.5
        trials.answers.set()
        assert "new-1 answers" in (await commanded(house, "ada", "model new-1")).replace("`", "")
        assert "Did you mean" in await commanded(house, "ada", "model newer-1")


@pytest.mark.parametrize("is_direct", [False, True])
async def test_who_is_told_of_a_model_is_told_in_private_and_where(house: House, is_direct: bool) -> None:  # noqa: FBT001
    async with house.listening():
        channel = house.slack.open_dm("ben") if is_direct else house.slack.channel("general")
        thread = thread_in(house.slack.team_id, channel.id, "1.1")
        ben = house.slack.user("ben")
        await house.chat.notify(ben.id, thread, f"`<!channel>` in {PLACE}.")
        [said] = [
            one for one in house.slack.messages(house.slack.open_dm("ben")) if one.user == house.slack.bot_user_id
        ]
        assert said.text == f"`&lt;!channel&gt;` in {'our direct messages' if is_direct else f'<#{channel.id}>'}."
