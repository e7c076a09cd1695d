"""The whole bot on both platforms: models that are switched to, tried, and taken off by the service."""

from __future__ import annotations

from typing import Any

from sandbox import slack as local
from sandbox.upstream import Emulator


def models(emulator: Emulator) -> list[str]:
    """Which were asked, in turn."""
    return [one.body["model"] for one in emulator.requests if isinstance(one.body, dict)]


async def command(side: Any, thread: Any, name: str) -> None:
    if side.name == "slack":
        await side.local.say("ada", thread.channel, f"@bobbin model {name}", thread.ts)
    else:
        await side.local.slash("ada", thread.thread, "model", name=name)


async def told(side: Any, thread: Any, text: str) -> None:
    await side.until(lambda: any(is_bots and text in said for is_bots, said in side.said(thread)))


async def test_a_thread_goes_on_with_another_model_and_others_dont(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, side.name):
        thread = await side.open(1, "My favourite colour is teal.")
        await told(side, thread, "teal")
        await command(side, thread, "gpt-4o")
        await told(side, thread, "answers (set in this thread)")
    async with running(sqlite_url, side.name):
        await side.ask(thread, "What is my favourite colour?")
        await told(side, thread, "Your favourite colour is teal.")
        other = await side.open(2, "say exactly: hello")
        await told(side, other, "hello")
    assert models(emulator) == ["gpt-5.1", "gpt-4o", "gpt-5.1"]


async def test_a_model_that_nobody_knows_is_tried_once_and_then_set(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    emulator._models = {"gpt-5.1", "new-1"}
    async with running(sqlite_url, side.name) as bobbin:
        thread = await side.open(1, "say exactly: hello")
        await told(side, thread, "hello")
        await command(side, thread, "new-1")
        await told(side, thread, "answers (set in this thread)")
        await side.ask(thread, "say exactly: goodbye")
        await told(side, thread, "goodbye")
        await command(side, thread, "newer-1")
        await told(side, thread, "has no model")
        await side.ask(thread, "say exactly: farewell")
        await told(side, thread, "farewell")
        await bobbin.idle()
    assert models(emulator) == ["gpt-5.1", "new-1", "new-1", "newer-1", "new-1"]
    tried = emulator.requests[1].body
    assert tried == {"model": "new-1", "question": "Say OK."}


async def test_a_process_that_ends_while_it_tries_leaves_the_command_to_the_next(
    running: Any, local_slack: Any, database_url: str, emulator: Emulator
) -> None:
    emulator._models = {"gpt-5.1", "new-1"}
    emulator.faults.set("silent_before", count=1)
    async with running(database_url, "slack"):
        root = await local_slack.say("ada", "general", "@bobbin model new-1")
        await local_slack.wait_for(lambda: emulator.requests)
    assert not answers(local_slack, root)
    async with running(database_url, "slack") as bobbin:
        await local_slack.wait_for(lambda: answers(local_slack, root))
        await local_slack.wait_for(lambda: not local_slack.under_way)
        await bobbin.idle()
        [told] = answers(local_slack, root)
        assert "answers (set in this thread)" in told
        await local_slack.say("ada", "general", "@bobbin say exactly: hello", root.ts)
        await local_slack.wait_for(lambda: answers(local_slack, root)[-1] == "hello")
    assert models(emulator) == ["new-1"] * 3


def answers(slack: Any, root: Any) -> list[str]:
    return [local.shown(one) for one in slack.messages(root.channel, root.ts) if one.user == slack.bot_user_id]


async def test_a_model_of_the_settings_is_set_without_trying_it(
    running: Any, side: Any, sqlite_url: str, emulator: Emulator
) -> None:
    emulator._models = {"gpt-5.1", "new-1"}
    async with running(sqlite_url, side.name, upstream={"url": emulator.url, "token": "t", "models": ["new-1"]}):
        thread = await side.open(1, "say exactly: hello")
        await told(side, thread, "hello")
        await command(side, thread, "NEW-1")
        await told(side, thread, "answers (set in this thread)")
    assert models(emulator) == ["gpt-5.1"]


async def test_a_model_that_is_taken_off_has_another_step_in_and_its_chooser_told_once(
    running: Any, side: Any, database_url: str, emulator: Emulator
) -> None:
    async with running(database_url, side.name) as bobbin:
        thread = await side.open(1, "say exactly: hello")
        await told(side, thread, "hello")
        await command(side, thread, "o1")
        await told(side, thread, "answers (set in this thread)")
        emulator.faults.set("retired", "o1")
        for word in ("one", "two"):
            await side.ask(thread, f"say exactly: {word}")
            await told(side, thread, word)
        await bobbin.idle()
        await told(side, thread, "because the AI service refused o1")
        [notice] = notices(side)
        assert "refuses the model `o1`, which you set in <#" in notice
        assert "`gpt-5.1` is asked in its place" in notice
    assert models(emulator) == ["gpt-5.1", "o1", "gpt-5.1", "o1", "gpt-5.1"]


def notices(side: Any) -> list[str]:
    """What the bot has told Ada in private."""
    if side.name == "discord":
        return [one.content for one in side.local.messages(side.local.open_dm("ada")) if one.author.is_bot]
    channels: list[local.Channel] = [one for one in side.local.channels.values() if one.id.startswith("D")]
    return [
        one.text for channel in channels for one in side.local.messages(channel) if one.user == side.local.bot_user_id
    ]


async def test_a_thread_gets_its_title_from_the_model_where_a_setting_asks_for_it(
    running: Any, local_discord: Any, database_url: str, emulator: Emulator
) -> None:
    async with running(database_url, "discord", questions={"titles": "model"}) as bobbin:
        question = await local_discord.say("ada", "general", "@bobbin compare steel and aluminium. Thanks!")
        await local_discord.wait_for(lambda: question.thread)
        names = {question.thread.name}
        await local_discord.wait_for(lambda: question.thread.name.startswith("All about"))
        names.add(question.thread.name)
        await local_discord.say("ada", question.thread, "say exactly: hello")
        await local_discord.wait_for(
            lambda: any(one.content == "hello" for one in local_discord.messages(question.thread))
        )
        await bobbin.idle()
    assert "compare steel and aluminium" in names
    assert [isinstance(one.body, dict) and one.body.get("stateful") for one in emulator.requests] == [True, None, True]
