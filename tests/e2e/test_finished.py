"""What stands under a finished answer, with all of Bobbin between the platform and the AI service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.reply.page import Wish
from bots.reply.wanted import BAD, GOOD, MORE, RETRY
from sandbox.slack import LocalSlack, shown
from tests.e2e.conftest import PATIENCE, Running

if TYPE_CHECKING:
    from sandbox.discord import LocalDiscord, Message
    from sandbox.slack import Message as SlackMessage
    from sandbox.upstream import Emulator

OFFERED = {"buttons": True}


async def test_slack_offers_it_and_answers_again(
    local_slack: LocalSlack, running: Running, emulator: Emulator, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack", questions=OFFERED):
        root = await local_slack.say("ada", "general", "@bobbin say exactly: here")

        def answer() -> SlackMessage | None:
            said = [one for one in local_slack.messages("general", root.ts) if one.bot_id == local_slack.bot_id]
            return said[-1] if said and shown(said[-1]).endswith("[More]") else None

        found = await local_slack.wait_for(answer, PATIENCE)
        assert found
        assert shown(found) == "here\n[Good answer] [Bad answer]\n[Retry] [More]"
        for _ in range(2):
            await local_slack.click("ada", found, Wish.AGAIN)
        await local_slack.wait_for(lambda: len(emulator.requests) >= 2, PATIENCE)
    assert len(emulator.requests) == 2


async def test_discord_offers_it_and_answers_again(
    local_discord: LocalDiscord, running: Running, emulator: Emulator, sqlite_url: str
) -> None:
    async with running(sqlite_url, "discord", questions=OFFERED):
        await local_discord.say("ada", "general", "@bobbin say exactly: here")

        def answer() -> Message | None:
            said = [one for thread in local_discord.threads("general") for one in local_discord.messages(thread)]
            return next((one for one in said if one.components), None)

        found = await local_discord.wait_for(answer, PATIENCE)
        assert found
        assert found.content == "here"
        assert [one["label"] for one in found.components[0]["components"]] == [GOOD, BAD, RETRY, MORE]
        clicks = [await local_discord.click("ada", found, RETRY) for _ in range(2)]
        await local_discord.wait_for(lambda: all(click.acknowledged for click in clicks), PATIENCE)
        await local_discord.wait_for(lambda: len(emulator.requests) >= 2, PATIENCE)
    assert len(emulator.requests) == 2
