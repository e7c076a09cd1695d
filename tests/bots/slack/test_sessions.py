"""While people wait in direct messages Slack says that the bot is at it, and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bots.slack.ids import key_of
from bots.slack.sessions import THINKING
from sandbox.slack import Failure
from tests.bots.slack.conftest import House

if TYPE_CHECKING:
    from sandbox.slack import Message
    from sandbox.slack.workspace import Session

SET, THREAD, PROMPTS = (
    "agents.sessions.setStatus",
    "assistant.threads.setStatus",
    "assistant.threads.setSuggestedPrompts",
)


async def ask(house: House, text: str = "Why is that? I wonder.") -> Message:
    """Ask in direct messages."""
    return await house.slack.say("ada", house.slack.open_dm("ada"), text)


def session(house: House, question: Message) -> Session | None:
    return house.slack.session(question.channel, question.ts)


async def test_a_question_begins_a_session_with_a_title_and_its_answer_sets_it_back(house: House) -> None:
    async with house.listening():
        question = await ask(house)
        (turn,) = await house.accepted()
        begun = await house.slack.wait_for(lambda: session(house, question))
        assert begun
        assert (begun.status, begun.title) == ("processing", "Why is that?")
        await house.chat.show(turn.start("m").finish("Because."))
    ended = session(house, question)
    assert ended
    assert ended.history == ("processing", "active")


async def test_the_end_of_a_stream_sets_it_back_by_itself(house: House) -> None:
    async with house.listening():
        question = await ask(house)
        (turn,) = await house.accepted()
        await house.slack.wait_for(lambda: session(house, question))
        turn = turn.start("m").grow("Because")
        turn = turn.replied(await house.chat.show(turn))
        await house.chat.show(turn.finish("Because."))
    ended = session(house, question)
    assert ended
    assert ended.status == "active"
    assert house.calls(SET) == 1


@pytest.mark.parametrize("code", ["feature_disabled", "unknown_method", "never_heard_of"])
async def test_without_sessions_a_line_says_that_it_thinks_and_goes(house: House, code: str) -> None:
    house.slack.faults.fail(SET, Failure(error=code))
    async with house.listening():
        question = await ask(house)
        (turn,) = await house.accepted()
        await house.slack.wait_for(lambda: house.slack.status(question.channel, question.ts) == THINKING)
        await house.chat.show(turn.start("m").stop())
        assert not house.slack.status(question.channel, question.ts)
        again = await ask(house)
        await house.slack.wait_for(lambda: house.slack.status(again.channel, again.ts) == THINKING)
    assert house.calls(SET) == 1  # it isn't tried again and again


async def test_without_either_a_question_is_answered_all_the_same(house: House) -> None:
    house.slack.faults.fail(SET, Failure(error="feature_disabled"))
    house.slack.faults.fail(THREAD, Failure(error="unknown_method"))
    async with house.listening():
        await ask(house)
        (turn,) = await house.accepted()
        await house.until(lambda: house.calls(THREAD))
        await house.chat.show(turn.start("m").finish("Because."))
    assert house.calls(SET) == house.calls(THREAD) == 1


async def test_another_process_sets_back_what_one_that_is_no_more_began(house: House) -> None:
    async with house.listening():
        question = await ask(house)
        (turn,) = await house.accepted()
        await house.slack.wait_for(lambda: session(house, question))
    house.chat = house.build()
    await house.chat.show(turn.start("m").finish("Because."))
    ended = session(house, question)
    assert ended
    assert ended.status == "active"


async def test_a_channel_has_no_session(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        await house.chat.show(turn.start("m").finish("Because."))
    assert house.calls(SET) == house.calls(THREAD) == 0


# What to ask


async def test_who_opens_the_direct_messages_is_suggested_what_to_ask(house: House) -> None:
    dm = house.slack.open_dm("ada")
    async with house.listening():
        await house.slack.open_home("ada", "home")
        await house.slack.open_home("ada", "messages")
        prompts = await house.slack.wait_for(lambda: house.slack.prompts(dm))
        await house.slack.open_home("ada", "messages")
        await house.slack.wait_for(lambda: not house.slack.under_way)
    assert [prompt["message"] for prompt in prompts] == ["help", "preset show", "preset set terse"]
    assert house.calls(PROMPTS) == 1


async def test_an_app_that_is_no_agent_suggests_nothing_and_lives_on(house: House) -> None:
    house.slack.installation.is_agent = False
    async with house.listening():
        await house.slack.open_home("ada", "messages")
        await house.until(lambda: house.calls(PROMPTS))
        await ask(house)
        await house.accepted()


# Slack's own Stop button


async def test_slacks_stop_button_stops_what_is_asked_there_and_nothing_else(house: House) -> None:
    async with house.listening():
        question = await ask(house)
        await house.until(lambda: len(house.woken) == 1)
        other = await ask(house, "And that?")
        await house.until(lambda: len(house.woken) == 2)
        await house.slack.wait_for(lambda: (begun := session(house, other)) and begun.status == "processing")
        await house.slack.stop_session("ada", other.channel, other.ts)
        await house.slack.wait_for(lambda: not house.slack.under_way)
    asked = await house.relay.turn(key_of(house.slack.team_id, other.channel, other.ts))
    assert asked
    assert question.ts != other.ts
    assert await house.ledger.stopping([asked.question.thread.id]) == [asked.id]


async def test_an_app_that_does_not_hear_of_the_button_is_told_so(house: House) -> None:
    house.slack.installation.events.discard("agent_session_stopped")
    async with house.listening():
        question = await ask(house)
        await house.slack.wait_for(lambda: session(house, question))
        (turn,) = await house.accepted()
        await house.chat.show(turn.start("m").finish("Because."))
        found = [finding.sentence async for finding in house.chat.check()]
    assert any("agent_session_stopped" in sentence for sentence in found)


@pytest.mark.parametrize(
    "event", [{}, {"channel": 1, "thread_ts": "1.0", "user": "U1"}, {"channel": "D1", "thread_ts": "x"}]
)
async def test_a_stop_that_can_not_be_read_is_skipped(house: House, event: dict[str, object]) -> None:
    async with house.listening():
        house.slack.send_raw({"type": "agent_session_stopped", "event_ts": "1.0", **event})
        await house.slack.wait_for(lambda: house.slack.deliveries and not house.slack.under_way)
    assert [delivered.acknowledged for delivered in house.slack.deliveries] == [True]
