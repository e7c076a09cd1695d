"""The other ways to ask in Discord, from end to end: private and shared, by the menu, brought along elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bots.discord.commands import ABOUT, FROM_HERE
from sandbox.discord import File, Interaction, LocalDiscord, Message
from tests.conftest import POSTGRES
from tests.e2e.conftest import PATIENCE

if TYPE_CHECKING:
    from sandbox.discord import Channel


@pytest.fixture(params=["sqlite", *POSTGRES])
def database_url(request: pytest.FixtureRequest) -> str:
    fixture = "sqlite_url" if request.param == "sqlite" else f"{request.param}_postgres"
    return str(request.getfixturevalue(fixture))


class Huge(bytes):
    """What says of itself that it has 300 MB."""

    def __len__(self) -> int:
        return 300_000_000


def seen(local: LocalDiscord, where: Channel | str) -> list[Message]:
    """What everybody sees there of the bot's."""
    return [one for one in local.messages(where) if one.author.is_bot and not one.is_ephemeral]


async def ended(local: LocalDiscord, interaction: Interaction, text: str) -> Message:
    def shown() -> Message | None:
        return next((one for one in interaction.messages if one.content.endswith(text)), None)

    found = await local.wait_for(shown, PATIENCE)
    assert found is not None
    return found


async def test_a_private_answer_is_shared_once_after_a_restart(
    running: Any, local_discord: LocalDiscord, database_url: str
) -> None:
    local = local_discord
    async with running(database_url, "discord") as bobbin:
        asked = await local.slash("ben", "general", "ask", question="say exactly: the plan", private=True)
        answer = await ended(local, asked, "the plan")
        assert answer.only_for == local.user("ben").id
        await local.wait_for(lambda: answer.components, PATIENCE)
        await bobbin.idle()
    assert not seen(local, "general")
    async with running(database_url, "discord") as bobbin:
        clicks = await asyncio.gather(*(local.click("ben", answer, "Share") for _ in range(3)))
        await local.wait_for(lambda: sum(bool(one.followups) for one in clicks) == 2, PATIENCE)
        await local.wait_for(lambda: seen(local, "general"), PATIENCE)
        await bobbin.idle()
        (shared,) = seen(local, "general")
        assert shared.content == "**Ben** asked:\n> say exactly: the plan\n\nthe plan"
        await local.say("ada", "general", "say exactly: agreed", reply_to=shared)
        await local.wait_for(lambda: seen(local, "general")[-1].content == "agreed", PATIENCE)


async def test_a_private_answer_goes_on_in_the_same_message_after_a_restart(
    running: Any, local_discord: LocalDiscord, database_url: str
) -> None:
    local = local_discord
    async with running(database_url, "discord"):
        asked = await local.slash("ben", "general", "ask", question="say exactly: one two three", private=True)
        await local.wait_for(lambda: asked.thinking, PATIENCE)
    async with running(database_url, "discord"):
        await ended(local, asked, "one two three")
    (answer,) = asked.messages
    assert answer.is_ephemeral
    assert not seen(local, "general")


async def test_the_menus_answer_and_a_reply_goes_on(running: Any, local_discord: LocalDiscord, sqlite_url: str) -> None:
    local = local_discord
    async with running(sqlite_url, "discord"):
        said = await local.say("ada", "general", "The release is on Tuesday.")
        form = await local.menu("ben", said, ABOUT)
        await local.wait_for(lambda: form.modal, PATIENCE)
        asked = await local.submit(form, question="say exactly: on Tuesday")
        answer = await ended(local, asked, "on Tuesday")
        await local.say("ada", "general", "say exactly: indeed", reply_to=answer)
        await local.wait_for(lambda: seen(local, "general")[-1].content == "indeed", PATIENCE)
        summary = await local.menu("ben", said, FROM_HERE)
        await local.wait_for(lambda: summary.response and not summary.thinking and summary.response.content, PATIENCE)
        assert summary.ephemeral


async def test_where_the_bot_is_not_it_answers_who_brought_it(
    running: Any, local_discord: LocalDiscord, sqlite_url: str
) -> None:
    local = local_discord
    local.install("ben")
    lobby = local.add_channel_elsewhere("lobby")
    async with running(sqlite_url, "discord", discord={"user_install": True}) as bobbin:
        asked = await local.slash("ben", lobby, "ask", question="say exactly: hello")
        await ended(local, asked, "hello")
        await bobbin.idle()
    assert not [call for call in local.calls if f"/channels/{lobby.id}" in call.path]


async def test_a_file_that_is_too_large_and_an_empty_question_get_a_sentence(
    running: Any, local_discord: LocalDiscord, sqlite_url: str
) -> None:
    local = local_discord
    async with running(sqlite_url, "discord"):
        file = File("all.zip", Huge(), "application/zip")
        asked = await local.slash("ben", "general", "ask", question="say exactly: fine", file=file)
        answer = await ended(local, asked, "")
        await local.wait_for(lambda: "leaves out" in answer.content, PATIENCE)
        asked = await local.slash("ben", "general", "ask", question="  ", private=True)
        await local.wait_for(lambda: asked.response and "ask" in asked.response.content.lower(), PATIENCE)
        assert asked.ephemeral
