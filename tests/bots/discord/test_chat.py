"""What people say in Discord is recorded once, and answered where they said it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bots.discord.conftest import House


async def test_a_mention_is_answered_in_a_thread_of_its_own(house: House) -> None:
    async with house.listening():
        turn = await house.asked("@bobbin what is a bobbin?")
        guild, general = house.discord.guild_id, house.discord.channel("general")
        said = house.discord.messages("general")[0]
        assert turn.question.text == "what is a bobbin?"
        assert turn.question.key == f"discord:{said.id}"
        assert turn.question.thread.id == f"discord:{guild}/{said.id}"
        assert turn.question.thread.workspace == f"discord:{guild}"
        assert turn.question.thread.channel == f"discord:{guild}/{general.id}"
        turn = await house.show(turn.start("m").grow("A spool"))
        turn = await house.show(turn.finish("A spool for thread."))
        thread = house.thread()
        assert thread.id == said.id
        assert thread.name == "what is a bobbin?"
        assert [one.content for one in house.said(thread)] == ["A spool for thread."]
