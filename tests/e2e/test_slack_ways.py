"""The whole bot: what is asked in Slack by a command, in a form or only for oneself, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bots.slack.form import ABOUT_MESSAGE, AUDIENCE, HERE, PRESET, PRIVATE, QUESTION
from bots.slack.history import NOT_IN_THAT_CHANNEL
from sandbox.slack import LocalSlack, Message, shown
from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds


class Room:
    """What stands in a place, as everybody sees it."""

    def __init__(self, slack: LocalSlack, name: str) -> None:
        self._slack = slack
        self.channel = slack.channel(name)

    def roots(self) -> list[Message]:
        """What the bot said beside all threads."""
        said = self._slack.messages(self.channel)
        return [one for one in said if one.bot_id and not (one.thread_ts or one.ephemeral_to)]

    def below(self, root: Message) -> list[str]:
        return [shown(one) for one in self._slack.messages(self.channel, root.ts)]

    async def until(self, true: Callable[[], object]) -> None:
        await self._slack.wait_for(true, PATIENCE)


@pytest.fixture
def general(local_slack: LocalSlack) -> Room:
    return Room(local_slack, "general")


@pytest.fixture
def direct(local_slack: LocalSlack) -> Room:
    return Room(local_slack, local_slack.open_dm("ada").id)


def typed(words: str) -> dict[str, Any]:
    return {QUESTION: {QUESTION: {"type": "plain_text_input", "value": words}}}


def chosen(view: dict[str, Any], block: str, value: str) -> dict[str, Any]:
    element = next(one["element"] for one in view["blocks"] if one["block_id"] == block)
    option = next(one for one in element["options"] if one["value"] == value)
    return {block: {block: {"type": element["type"], "selected_option": option}}}


async def ask_privately(slack: LocalSlack, about: Message, words: str) -> None:
    opened = await slack.shortcut("ada", ABOUT_MESSAGE, about)
    (view,) = opened.views
    sent = await slack.submit("ada", view, typed(words) | chosen(slack.views[view], AUDIENCE, PRIVATE))
    assert not sent.problem
    assert view not in slack.views


async def test_a_question_by_command_is_answered_in_a_thread_that_goes_on(
    running: Any, local_slack: LocalSlack, general: Room, database_url: str
) -> None:
    async with running(database_url, "slack") as bobbin:
        await local_slack.command("ada", "general", "/bobbin", "My favourite colour is teal.", wait=0)
        await general.until(lambda: general.roots() and len(general.below(general.roots()[0])) == 2)
        await bobbin.idle()
    async with running(database_url, "slack") as bobbin:
        (root,) = general.roots()
        await local_slack.say("ben", "general", "@bobbin What is my favourite colour?", root.ts)
        await general.until(lambda: general.below(root)[-1] == "Your favourite colour is teal.")
        await local_slack.command("ben", "general", "/bobbin", "What is my favourite colour?", wait=0)
        await general.until(lambda: len(general.roots()) == 2 and len(general.below(general.roots()[1])) == 2)
        await bobbin.idle()
    assert general.below(root)[0] == "ada asked:\n> My favourite colour is teal."
    assert "teal" not in general.below(general.roots()[1])[-1]


async def test_a_question_by_command_is_seen_before_there_is_an_answer(
    running: Any, local_slack: LocalSlack, general: Room, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.first_delay = 2 * PATIENCE
    async with running(sqlite_url, "slack", shutdown_grace=0):
        await local_slack.command("ada", "general", "/bobbin", "say exactly: slow", wait=0)
        await general.until(general.roots)
    emulator.first_delay = 0
    async with running(sqlite_url, "slack") as bobbin:  # taken up in the same thread
        (root,) = general.roots()
        await general.until(lambda: general.below(root)[1:] == ["slow"])
        await bobbin.idle()
    assert len(general.roots()) == 1


async def test_a_private_answer_is_shared_after_a_restart_and_told_to_the_thread(
    running: Any, local_slack: LocalSlack, general: Room, direct: Room, database_url: str
) -> None:
    async with running(database_url, "slack") as bobbin:
        about = await local_slack.say("ben", "general", "The pump is leaking.")
        await ask_privately(local_slack, about, "My favourite colour is teal.")
        await direct.until(lambda: direct.roots() and "[Share]" in direct.below(direct.roots()[0])[-1])
        await bobbin.idle()
        assert general.below(about) == ["The pump is leaking."]
    async with running(database_url, "slack") as bobbin:
        answer = local_slack.messages(direct.channel)[-1]
        for _ in range(2):
            await local_slack.click("ada", answer, "share")
        await general.until(lambda: len(general.below(about)) == 2)
        await local_slack.say("ben", "general", "@bobbin What is my favourite colour?", about.ts)
        await general.until(lambda: general.below(about)[-1] == "Your favourite colour is teal.")
        await bobbin.idle()
    assert len(general.below(about)) == 4
    assert general.below(about)[1].startswith("ada asked:\n> My favourite colour is teal.\n\n")


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_what_people_say_in_a_thread_begun_by_command_is_told_with_the_next_question(
    *, is_restarted: bool, running: Any, local_slack: LocalSlack, general: Room, sqlite_url: str, emulator: Emulator
) -> None:
    """Heard by the process that answers, or read by one that was started later."""

    async def talk(root: Message) -> None:
        await local_slack.say("ben", "general", "@ada the pump is leaking", root.ts)

    async with running(sqlite_url, "slack") as bobbin:
        await local_slack.command("ada", "general", "/bobbin", "say exactly: one", wait=0)
        await general.until(lambda: general.roots() and len(general.below(general.roots()[0])) == 2)
        await bobbin.idle()
        (root,) = general.roots()
        if not is_restarted:
            await talk(root)
            await local_slack.say("ada", "general", "@bobbin say exactly: two", root.ts)
            await general.until(lambda: general.below(root)[-1] == "two")
    if is_restarted:
        await talk(root)
        async with running(sqlite_url, "slack"):
            await local_slack.say("ada", "general", "@bobbin say exactly: two", root.ts)
            await general.until(lambda: general.below(root)[-1] == "two")
    assert "the pump is leaking" in str(emulator.requests[-1].body)


async def test_a_question_in_a_form_keeps_nothing_of_its_thread_from_the_next(
    running: Any, local_slack: LocalSlack, general: Room, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        about = await local_slack.say("ben", "general", "The pump is leaking.")
        await local_slack.say("ben", "general", "Since Monday.", about.ts)
        (view,) = (await local_slack.shortcut("ada", ABOUT_MESSAGE, about)).views
        await local_slack.submit("ada", view, typed("say exactly: one"))
        await general.until(lambda: general.below(about)[-1].endswith("\n\none"))
        await bobbin.idle()
        await local_slack.say("ben", "general", "@ada call the plumber", about.ts)
        await local_slack.say("ada", "general", "@bobbin say exactly: two", about.ts)
        await general.until(lambda: general.below(about)[-1].startswith("two"))
        await bobbin.idle()
    assert general.below(about)[-1] == "two"  # nothing is said to be unread
    assert all(words in str(emulator.requests[-1].body) for words in ("Since Monday", "call the plumber"))


@pytest.mark.parametrize("audience", [HERE, PRIVATE])
async def test_a_question_in_a_form_knows_the_thread_that_it_is_about(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator, audience: str
) -> None:
    root = await local_slack.say("ben", "general", "The pump is leaking.")
    await local_slack.say("ben", "general", "Since Monday.", root.ts)
    about = await local_slack.say("ben", "general", "It's the gasket.", root.ts)
    async with running(sqlite_url, "slack") as bobbin:
        (view,) = (await local_slack.shortcut("ada", ABOUT_MESSAGE, about)).views
        await local_slack.submit(
            "ada", view, typed("say exactly: one") | chosen(local_slack.views[view], AUDIENCE, audience)
        )
        await local_slack.wait_for(lambda: emulator.requests, PATIENCE)
        await bobbin.idle()
    (request,) = emulator.requests
    assert all(words in str(request.body) for words in ("The pump is leaking", "Since Monday"))
    assert "I couldn't" not in str([shown(one) for one in local_slack.messages(local_slack.open_dm("ada"))])


async def test_a_private_question_about_a_thread_that_cant_be_read_says_so(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    far = local_slack.add_channel("far", "ada")
    about = await local_slack.say("ada", far, "It's the gasket.")
    async with running(sqlite_url, "slack") as bobbin:
        (view,) = (await local_slack.shortcut("ada", ABOUT_MESSAGE, about)).views
        await local_slack.submit(
            "ada", view, typed("say exactly: one") | chosen(local_slack.views[view], AUDIENCE, PRIVATE)
        )
        await local_slack.wait_for(lambda: emulator.requests, PATIENCE)
        await bobbin.idle()
        (root,) = [one for one in local_slack.messages(local_slack.open_dm("ada")) if not one.thread_ts]
        await local_slack.wait_for(
            lambda: NOT_IN_THAT_CHANNEL in str([*map(shown, local_slack.messages(root.channel, root.ts))]), PATIENCE
        )
    assert "gasket" in str(emulator.requests[0].body)


async def test_a_thread_begun_by_command_can_be_muted_by_a_reaction(
    running: Any, local_slack: LocalSlack, general: Room, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        await local_slack.command("ada", "general", "/bobbin", "say exactly: one", wait=0)
        await general.until(lambda: general.roots() and len(general.below(general.roots()[0])) == 2)
        await bobbin.idle()
        (root,) = general.roots()
        await local_slack.react("ben", root, "mute")
        await general.until(lambda: not local_slack.under_way)  # Slack brings events side by side
        await local_slack.say("ada", "general", "say exactly: unheard", root.ts)
        await local_slack.say("ada", "general", "@bobbin say exactly: called", root.ts)
        await general.until(lambda: "called" in general.below(root))
        await bobbin.idle()
    assert "unheard" not in general.below(root)


async def test_a_reaction_stops_an_answer_in_direct_messages(
    running: Any, local_slack: LocalSlack, direct: Room, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.pace = 0.2
    async with running(sqlite_url, "slack") as bobbin:
        asked = await local_slack.say("ada", direct.channel, "say exactly: " + "Round and round it goes. " * 40)
        await direct.until(lambda: any("Round" in said for said in direct.below(asked)[1:]))
        await local_slack.react("ada", local_slack.messages(direct.channel, asked.ts)[1], "mute")
        await bobbin.idle()  # in a fraction of the time that the whole answer would take
    assert 0 < direct.below(asked)[1].count("Round") < 40


async def test_a_preset_chosen_in_the_form_answers_this_question_alone(
    running: Any, local_slack: LocalSlack, general: Room, sqlite_url: str, emulator: Emulator
) -> None:
    presets = {"terse": {"instructions": "Be brief."}}
    async with running(sqlite_url, "slack", presets=presets) as bobbin:
        (view,) = (await local_slack.command("ada", "general", "/bobbin")).views
        await local_slack.submit(
            "ada", view, typed("say exactly: yes") | chosen(local_slack.views[view], PRESET, "terse")
        )
        await general.until(lambda: general.roots() and general.below(general.roots()[0])[-1] == "yes")
        (root,) = general.roots()
        await local_slack.say("ada", "general", "@bobbin say exactly: no", root.ts)
        await general.until(lambda: general.below(root)[-1] == "no")
        await bobbin.idle()
    assert ["Be brief." in str(one.body) for one in emulator.requests] == [True, False]


async def test_direct_messages_are_one_conversation_until_a_reset(
    running: Any, local_slack: LocalSlack, direct: Room, sqlite_url: str
) -> None:
    def answers() -> list[str]:
        said = local_slack.messages(direct.channel)
        return [shown(one) for one in said if one.bot_id == local_slack.bot_id and not local_slack.streams]

    async with running(sqlite_url, "slack") as bobbin:
        first = await local_slack.say("ada", direct.channel, "My favourite colour is teal.")
        await direct.until(lambda: len(answers()) == 1)
        await local_slack.say("ada", direct.channel, "What is my favourite colour?")
        await direct.until(lambda: answers()[1:] == ["Your favourite colour is teal."])
        await local_slack.say("ada", direct.channel, "What is my favourite colour?", first.ts)
        await direct.until(lambda: direct.below(first)[3:] == ["Your favourite colour is teal."])
        await local_slack.say("ada", direct.channel, "reset")
        await direct.until(lambda: "starts a new one" in answers()[-1])
        await local_slack.say("ada", direct.channel, "What is my favourite colour?")
        await direct.until(lambda: len(answers()) == 5)
        await bobbin.idle()
    assert "teal" not in answers()[-1]
