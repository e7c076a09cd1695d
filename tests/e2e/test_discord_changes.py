"""The whole bot in a local Discord: people edit, delete, click, and talk on while the bot is away."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from sandbox.discord import Channel, LocalDiscord, Message, Permission
from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds
SEND = "POST /channels/{channel_id}/messages"
FORBIDDEN = 403  # HTTP
HISTORY = "GET /channels/{channel_id}/messages"


class Talk:
    """What a test looks at and waits for."""

    def __init__(self, local: LocalDiscord) -> None:
        self.local = local

    async def ask(self, text: str, where: Channel | str = "general") -> Message:
        return await self.local.say("ada", where, f"@bobbin {text}")

    async def answered(self, question: Message, text: str) -> Message:
        """The message that says *text* in the thread of *question*."""
        await self.local.wait_for(lambda: text in self.texts(question), PATIENCE)
        return next(one for one in self.answers(question) if one.content == text)

    def answers(self, question: Message) -> list[Message]:
        if question.thread is None:
            return []
        return [one for one in self.local.messages(question.thread) if one.author.is_bot and one.content]

    def texts(self, question: Message) -> list[str]:
        return [one.content for one in self.answers(question)]

    async def until(self, true: Any) -> None:
        await self.local.wait_for(true, PATIENCE)

    async def click(self, message: Message, label: str, user: str = "ben") -> None:
        interaction = await self.local.click(user, message, label)
        await self.until(lambda: interaction.acknowledged or interaction.failed)
        assert interaction.acknowledged
        assert not interaction.answered

    def posted(self) -> int:
        return sum(call.route == SEND for call in self.local.calls)


def label_of(message: Message) -> str:
    return str(message.components[0]["components"][0]["label"]) if message.components else ""


def stream_slowly(emulator: Emulator) -> None:
    """Ten pages, in some fifteen seconds."""
    emulator.faults.set("huge", 20_000)
    emulator.pace = 0.01


@pytest.fixture
def talk(local_discord: LocalDiscord) -> Talk:
    return Talk(local_discord)


async def test_an_edited_question_gets_a_button_and_a_click_answers_in_the_same_message(
    running: Any, talk: Talk, sqlite_url: str
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        question = await talk.ask("say exactly: one")
        answer = await talk.answered(question, "one")
        await bobbin.idle()
        await talk.local.edit("ada", question, "@bobbin say exactly: two")
        await talk.until(lambda: label_of(answer) == "Answer the edited question")
        assert talk.texts(question) == ["one"]
        await talk.click(answer, "Answer the edited question")
        await talk.until(lambda: talk.texts(question) == ["two"])
        await bobbin.idle()
        assert talk.answers(question) == [answer]
        assert not answer.components


async def test_a_button_works_after_a_restart(running: Any, talk: Talk, sqlite_url: str, emulator: Emulator) -> None:
    emulator.faults.replace({"used_up": True})
    async with running(sqlite_url, "discord"):
        question = await talk.ask("say exactly: one")
        await talk.until(lambda: talk.answers(question) and label_of(talk.answers(question)[0]) == "Try again")
    emulator.faults.clear()
    async with running(sqlite_url, "discord"):
        (failed,) = talk.answers(question)
        await talk.click(failed, "Try again")
        await talk.until(lambda: talk.texts(question) == ["one"] and not failed.components)


async def test_an_edited_question_is_answered_anew_at_once_where_that_is_set(
    running: Any, talk: Talk, sqlite_url: str
) -> None:
    async with running(sqlite_url, "discord", questions={"on_edit": "redo"}) as bobbin:
        question = await talk.ask("say exactly: one")
        await talk.answered(question, "one")
        await talk.local.edit("ada", question, "@bobbin say exactly: two")
        await talk.until(lambda: talk.texts(question) == ["two"])
        await bobbin.idle()
        assert not talk.answers(question)[0].components


@pytest.mark.parametrize("word", ["help", "reset"])
async def test_an_edit_to_a_word_that_commands_elsewhere_is_one_like_any(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator, word: str
) -> None:
    """In Discord, commands are slash commands: who says such a word asks it."""
    async with running(sqlite_url, "discord") as bobbin:
        question = await talk.ask("say exactly: one")
        answer = await talk.answered(question, "one")
        await talk.local.edit("ada", question, f"@bobbin {word}")
        await talk.until(lambda: label_of(answer) == "Answer the edited question")
        await talk.click(answer, label_of(answer))
        await talk.until(lambda: len(emulator.requests) == 2 and not answer.components)
        await bobbin.idle()
    assert str(emulator.requests[-1].body["question"]).endswith(word)  # type: ignore[index]


async def test_what_is_no_edit_changes_nothing(running: Any, talk: Talk, sqlite_url: str, emulator: Emulator) -> None:
    async with running(sqlite_url, "discord", questions={"on_edit": "redo"}) as bobbin:
        question = await talk.ask("say exactly: one")
        await talk.answered(question, "one")
        await talk.local.preview(question, "A page")
        await talk.local.edit("ada", question, "@bobbin say exactly: one")
        await talk.answered(await talk.ask("say exactly: later"), "later")
        await bobbin.idle()
    assert len(emulator.requests) == 2


async def test_an_edit_that_adds_a_mention_asks(running: Any, talk: Talk, sqlite_url: str) -> None:
    async with running(sqlite_url, "discord"):
        question = await talk.local.say("ada", "general", "say exactly: one")
        await talk.local.edit("ada", question, "@bobbin say exactly: one")
        await talk.answered(question, "one")


async def test_a_deleted_question_takes_its_answer_with_it_and_the_bot_leaves_the_thread(
    running: Any, talk: Talk, sqlite_url: str
) -> None:
    async with running(sqlite_url, "discord"):
        question = await talk.ask("say exactly: one")
        answer = await talk.answered(question, "one")
        thread = question.thread
        assert thread
        assert thread.thread
        await talk.local.delete("ada", question)
        await talk.until(lambda: answer.deleted)
        members = thread.thread.members
        await talk.until(lambda: talk.local.bot_user_id not in members)


async def test_a_thread_in_which_others_talk_is_not_left(running: Any, talk: Talk, sqlite_url: str) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        question = await talk.ask("say exactly: one")
        answer = await talk.answered(question, "one")
        thread = question.thread
        assert thread
        assert thread.thread
        await talk.local.say("ben", thread, "@ada nice")
        await talk.local.delete("ada", question)
        await talk.until(lambda: answer.deleted)
        await bobbin.idle()
        assert talk.local.bot_user_id in thread.thread.members


async def test_questions_deleted_together_take_their_answers_with_them(
    running: Any, talk: Talk, sqlite_url: str
) -> None:
    async with running(sqlite_url, "discord"):
        questions = [await talk.ask(f"say exactly: {number}") for number in range(2)]
        answers = [await talk.answered(question, str(number)) for number, question in enumerate(questions)]
        await talk.local.purge("ada", questions)
        await talk.until(lambda: all(answer.deleted for answer in answers))


async def test_answers_stay_where_that_is_set(running: Any, talk: Talk, sqlite_url: str) -> None:
    async with running(sqlite_url, "discord", questions={"on_delete": "keep"}) as bobbin:
        question = await talk.ask("say exactly: one")
        answer = await talk.answered(question, "one")
        await talk.local.delete("ada", question)
        await talk.answered(await talk.ask("say exactly: later"), "later")
        await bobbin.idle()
        assert not answer.deleted


async def test_a_question_deleted_while_it_streams_is_broken_off(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    stream_slowly(emulator)
    async with running(sqlite_url, "discord") as bobbin:
        question = await talk.ask("tell me everything")
        await talk.until(lambda: talk.answers(question))
        (answer,) = talk.answers(question)
        await talk.local.delete("ada", question)
        await talk.until(lambda: answer.deleted)
        await asyncio.wait_for(bobbin.idle(), PATIENCE)
        assert not talk.answers(question)


@pytest.mark.parametrize("page", [0, -1])
async def test_an_answer_deleted_while_it_streams_is_not_posted_again(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator, page: int
) -> None:
    """Also when only an earlier page is gone, which no update writes to any more."""
    stream_slowly(emulator)
    async with running(sqlite_url, "discord") as bobbin:
        question = await talk.ask("tell me everything")
        await talk.until(lambda: len(talk.answers(question)) > 1)
        gone = talk.answers(question)[page]
        await talk.local.delete("ada", gone)
        before = talk.posted()
        await asyncio.wait_for(bobbin.idle(), PATIENCE)
        assert talk.posted() <= before + 1  # what was under way to Discord when it was deleted
        assert gone not in talk.answers(question)


async def test_a_click_from_elsewhere_does_nothing(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    emulator.faults.set("used_up", count=1)
    async with running(sqlite_url, "discord") as bobbin, aiohttp.ClientSession() as rest:
        question = await talk.ask("say exactly: one")
        await talk.until(lambda: talk.answers(question) and label_of(talk.answers(question)[0]))
        (failed,) = talk.answers(question)
        url = f"{talk.local.api_url}/channels/{talk.local.channel('random').id}/messages"
        forged = {"content": "Click me", "components": failed.components}
        async with rest.post(url, json=forged, headers={"Authorization": f"Bot {talk.local.token}"}) as response:
            assert response.status == 200
        interaction = await talk.local.click("ben", talk.local.messages("random")[-1], "Try again")
        await talk.until(lambda: interaction.answered)
        assert interaction.ephemeral
        assert interaction.response
        assert "only where the question was asked" in interaction.response.content
        await bobbin.idle()
        assert talk.answers(question) == [failed]
        assert label_of(failed)
    assert len(emulator.requests) == 1


async def test_what_was_said_while_it_was_away_is_answered_once_in_order(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    local = talk.local
    async with running(sqlite_url, "discord"):
        followed, direct = await talk.ask("say exactly: before"), local.open_dm("ada")
        await talk.answered(followed, "before")
        await local.say("ada", direct, "say exactly: hello")
        await talk.until(lambda: local.messages(direct)[-1].content == "hello")
    assert followed.thread
    await local.say("ada", "random", "say exactly: chatter")
    mention = await talk.ask("say exactly: mentioned")
    for text in ("say exactly: first", "@ben just us", "say exactly: second"):
        await local.say("ada", followed.thread, text)
    await local.say("ada", direct, "say exactly: still there?")
    async with running(sqlite_url, "discord") as bobbin:
        # It comes while the bot catches up, and has to wait for what was said there before.
        await local.say("ada", followed.thread, "say exactly: third")
        await talk.answered(mention, "mentioned")
        await talk.answered(followed, "third")
        await talk.until(lambda: local.messages(direct)[-1].content == "still there?")
        await bobbin.idle()
        assert talk.texts(followed) == ["before", "first", "second", "third"]
    async with running(sqlite_url, "discord") as bobbin:
        await talk.answered(await talk.ask("say exactly: after"), "after")
        await bobbin.idle()
    assert len(emulator.requests) == 8


async def test_what_became_of_questions_while_it_was_away_is_noticed(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord"):
        edited, deleted, untouched = [await talk.ask(f"say exactly: {word}") for word in ("tea", "milk", "sugar")]
        offered, gone = await talk.answered(edited, "tea"), await talk.answered(deleted, "milk")
        kept = await talk.answered(untouched, "sugar")
    await talk.local.edit("ada", edited, "@bobbin say exactly: coffee")
    await talk.local.delete("ada", deleted)
    async with running(sqlite_url, "discord") as bobbin:
        await talk.until(lambda: label_of(offered) == "Answer the edited question")
        await talk.until(lambda: gone.deleted)
        await talk.click(offered, "Answer the edited question")
        await talk.until(lambda: talk.texts(edited) == ["coffee"])
        await bobbin.idle()
    assert len(kept.history) == 1
    assert not kept.components
    assert len(emulator.requests) == 4


async def test_after_a_connection_that_could_not_be_resumed_it_catches_up(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        await talk.answered(await talk.ask("say exactly: before"), "before")
        talk.local.gateway.drop(resumable=False)
        missed = await talk.ask("say exactly: missed")
        await talk.answered(missed, "missed")
        await bobbin.idle()
    assert len(emulator.requests) == 2


async def test_what_is_too_old_is_not_answered(running: Any, talk: Talk, sqlite_url: str, emulator: Emulator) -> None:
    local = talk.local
    section = {"api_url": local.api_url, "gateway_url": local.gateway_url, "token": local.token}
    async with running(sqlite_url, "discord"):
        await talk.answered(await talk.ask("say exactly: before"), "before")
    await talk.ask("say exactly: too old")
    async with running(sqlite_url, "discord", discord=section | {"catch_up_hours": 0}) as bobbin:
        await talk.answered(await talk.ask("say exactly: after"), "after")
        await bobbin.idle()
    assert len(emulator.requests) == 2


async def test_places_that_have_nothing_new_are_not_asked(running: Any, talk: Talk, sqlite_url: str) -> None:
    local = talk.local
    async with running(sqlite_url, "discord") as bobbin:
        for number in range(3):
            local.add_channel(f"room-{number}")
            await talk.answered(await talk.ask("say exactly: before", f"room-{number}"), "before")
        await bobbin.idle()
    missed = await talk.ask("say exactly: missed", "room-1")
    local.calls.clear()
    async with running(sqlite_url, "discord"):
        await talk.answered(missed, "missed")
    assert sum(call.route == HISTORY for call in local.calls) <= 7


async def test_where_it_may_not_write_it_says_so_once_in_private(
    running: Any, local_discord: LocalDiscord, sqlite_url: str
) -> None:
    local = local_discord
    async with running(sqlite_url, "discord") as bobbin:
        talk = Talk(local)
        question = await talk.ask("say exactly: before")
        await talk.answered(question, "before")
        thread = question.thread
        assert thread
        await bobbin.idle()
        local.deny("general", Permission.SEND_MESSAGES, Permission.SEND_MESSAGES_IN_THREADS)
        for number in range(2):
            local.calls.clear()
            await local.say("ada", thread, f"say exactly: {number}")
            await local.wait_for(lambda: FORBIDDEN in [call.status for call in local.calls], PATIENCE)
            await bobbin.idle()
        private = local.open_dm("ada")
        await local.wait_for(lambda: local.messages(private), PATIENCE)
    (told,) = local.messages(private)
    assert f"<#{thread.id}>" in told.content


async def test_edits_that_come_in_reverse_end_in_the_newest(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord", questions={"on_edit": "redo"}) as bobbin:
        question = await talk.ask("say exactly: tea")
        await talk.answered(question, "tea")
        await bobbin.idle()
        with talk.local.gateway.holding_events() as events:
            for word in ("milk", "sugar", "coffee"):
                await talk.local.edit("ada", question, f"@bobbin say exactly: {word}")
            events.reverse()
        await talk.until(lambda: talk.texts(question) == ["coffee"])
        await talk.answered(await talk.ask("say exactly: later"), "later")
        await bobbin.idle()
        assert talk.texts(question) == ["coffee"]


async def test_an_edit_heard_before_its_message_is_asked_once(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        with talk.local.gateway.holding_events() as events:
            question = await talk.ask("say exactly: tea")
            await talk.local.edit("ada", question, "@bobbin say exactly: coffee")
            events.reverse()
        await talk.answered(question, "coffee")
        await talk.answered(await talk.ask("say exactly: later"), "later")
        await bobbin.idle()
        assert talk.texts(question) == ["coffee"]
    assert len(emulator.requests) == 2


async def test_a_deletion_heard_before_its_message_leaves_nothing(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        with talk.local.gateway.holding_events() as events:
            question = await talk.ask("say exactly: tea")
            await talk.local.delete("ada", question)
            events.reverse()
        await talk.answered(await talk.ask("say exactly: later"), "later")
        await bobbin.idle()
        assert not talk.texts(question)
    assert len(emulator.requests) == 1


async def test_events_that_are_told_twice_count_once(
    running: Any, talk: Talk, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, "discord") as bobbin:
        with talk.local.gateway.holding_events() as events:
            question = await talk.ask("say exactly: tea")
            events.extend(list(events))
        await talk.answered(question, "tea")
        await talk.answered(await talk.ask("say exactly: later"), "later")
        await bobbin.idle()
        assert talk.texts(question) == ["tea"]
    assert len(emulator.requests) == 2
