"""Direct messages show an answer in a stream of Slack's own, as far as Slack lets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bots.slack.limits import STREAM_BYTES
from bots.slack.note import notes
from bots.slack.streams import LONGEST
from bots.slack.window import Window
from core.errors import AnswerDeleted, ChatBusy, ChatLimited, ThreadGone
from core.turn import Reply, TurnId
from sandbox import replies
from sandbox.slack import Failure, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.turn import Turn
    from sandbox.slack import Message
    from tests.bots.slack.conftest import House

START, APPEND, STOP, POST, UPDATE = (
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.postMessage",
    "chat.update",
)
FENCED = (
    "First some words.\n\n```python\n" + "".join(f"print({number:04})\n" for number in range(1_500)) + "```\n\nThe end."
)


@pytest.fixture
async def turn(house: House) -> AsyncIterator[Turn]:
    """A turn that streams in direct messages, its answer still empty."""
    house.slack.installation.scopes.discard("reactions:write")  # not of interest here
    async with house.listening():
        yield (await house.asked("why?", to=house.slack.open_dm("ada"))).start("model-a")


def answers(house: House) -> list[Message]:
    said = house.slack.messages(house.slack.open_dm("ada"))
    return [message for message in said if message.bot_id == house.slack.bot_id]


def made(house: House) -> list[str]:
    """The calls that showed something, in their order."""
    return [call.method for call in house.slack.calls if call.method in (START, APPEND, STOP, POST, UPDATE)]


async def show(house: House, turn: Turn, *answers: str) -> Turn:
    for answer in answers:
        turn = turn.grow(answer)
        turn = turn.replied(await house.chat.show(turn))
    return turn


async def test_an_answer_grows_in_a_stream_in_the_thread_of_its_question(house: House, turn: Turn) -> None:
    turn = await show(
        house, turn, "**Because** it", "**Because** it was late, and", "**Because** it was late, and <!here> we"
    )
    await house.chat.show(turn.finish("**Because** it was late, and <!here> we slept."))
    (message,) = answers(house)
    assert message.thread_ts == turn.question.key.split("/")[-1]
    assert shown(message) == "**Because** it was late, and &lt;!here&gt; we slept."
    assert made(house) == [START, APPEND, APPEND, STOP]
    assert house.slack.streams == 0
    assert message.more["streaming_state"] == "completed"
    lengths = [len(version.text) for version in message.versions]
    assert lengths == sorted(lengths)


async def test_a_stream_takes_nothing_from_the_answers_in_channels(house: House, turn: Turn) -> None:
    """It keeps an end of its own kind, and doesn't wait for one of theirs."""
    updates = house.chat._pace._updates
    for _ in range(updates.limit):
        updates.keep()
    for answer in ("Because it", "Because it was late"):
        turn = turn.grow(answer)
        async with asyncio.timeout(5):
            await house.chat.ready(turn)
        turn = turn.replied(await house.chat.show(turn))
    assert made(house) == [START, APPEND]
    assert updates.kept == updates.limit


async def test_an_answer_that_ends_before_anything_is_shown_is_posted_once(house: House, turn: Turn) -> None:
    await house.chat.show(turn.finish("Because."))
    assert made(house) == [POST]
    (message,) = answers(house)
    assert message.thread_ts == turn.question.key.split("/")[-1]


async def test_an_answer_that_ends_as_it_was_shown_is_ended_all_the_same(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it is.")
    await house.chat.show(turn.finish("Because it is."))
    assert made(house) == [START, STOP]
    assert house.slack.streams == 0


async def test_a_channel_has_no_streams(house: House, turn: Turn) -> None:
    house.woken.clear()
    other = (await house.asked()).start("model-a")
    other = await show(house, other, "Because", "Because it")
    await house.chat.show(other.finish("Because it is."))
    assert made(house) == [POST, UPDATE, UPDATE]
    del turn


async def test_what_stands_under_an_answer_comes_with_its_end(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    await house.chat.show(turn.remark("By the way").fail("The AI service broke off."))
    (message,) = answers(house)
    assert shown(message) == "Because it\n⚠️ The AI service broke off.\nBy the way\n[Try again]"
    assert made(house) == [START, STOP]


async def test_code_that_could_call_somebody_is_exact_in_the_end(house: House, turn: Turn) -> None:
    answer = "So:\n\n```\nprint('<!channel>')\n```\n\nThat is it."
    turn = await show(house, turn, answer[:30], answer[:-3])
    (message,) = answers(house)
    assert "<!channel>" not in message.text
    await house.chat.show(turn.finish(answer))
    (message,) = answers(house)
    assert "print('<!channel>')" in shown(message)
    assert [block["type"] for block in message.blocks] == ["rich_text"]


async def test_what_turns_out_to_be_something_else_is_updated(house: House, turn: Turn) -> None:
    """What was appended can't be taken back."""
    turn = await show(house, turn, "Some words that\nbecome a line and more", "Some words that\nbecome a line and more")
    await house.chat.show(turn.grow("Other words").finish("Other words altogether."))
    (message,) = answers(house)
    assert shown(message) == "Other words altogether."
    assert made(house) == [START, STOP, UPDATE]


async def test_a_stream_has_an_end_before_it_is_too_long_and_code_goes_on(house: House, turn: Turn) -> None:
    lengths = range(2_000, len(FENCED), 2_000)
    turn = await show(house, turn, *(FENCED[:length] for length in lengths))
    await house.chat.show(turn.finish(FENCED))
    messages = answers(house)
    assert len(messages) > 1
    assert all(len(message.text.encode()) <= STREAM_BYTES for message in messages)
    assert [message.more.get("streaming_state", "completed") for message in messages] == ["completed"] * len(messages)
    code = [line for message in messages for line in shown(message).split("\n") if line.startswith("print")]
    assert code == [f"print({number:04})" for number in range(1_500)]
    assert shown(messages[1]).startswith("```python\nprint")
    assert UPDATE not in made(house)


async def test_a_stream_ends_before_slack_ends_it(house: House, turn: Turn) -> None:
    now = 0.0
    house.chat._streams._clock = lambda: now
    turn = await show(house, turn, "Because it")
    now = LONGEST + 1
    turn = await show(house, turn, "Because it was late, and", "Because it was late, and dark")
    await house.chat.show(turn.finish("Because it was late, and dark."))
    (message,) = answers(house)
    assert shown(message) == "Because it was late, and dark."
    assert made(house) == [START, STOP, UPDATE, UPDATE, UPDATE]


async def test_an_answer_that_pauses_too_long_is_ended_by_itself_and_goes_on(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it was [a")
    stream = house.chat._streams.get(*_place(turn))
    assert stream
    stream.began -= LONGEST
    await house.chat._streams.end_old()
    assert house.slack.streams == 0
    await house.chat.show(turn.finish("Because it was [a"))
    (message,) = answers(house)
    assert shown(message) == "Because it was [a"


def _place(turn: Turn) -> tuple[str, str]:
    where = notes().read(turn.reply).where
    return where.channel, where.stream


# What Slack refuses

LATCHED = ["unknown_method", "method_deprecated", "feature_not_enabled", "channel_type_not_supported", "never_heard_of"]


@pytest.mark.parametrize("code", [*LATCHED, "invalid_chunks", "missing_recipient_user_id", "feature_disabled"])
async def test_where_there_are_no_streams_answers_are_posted_for_a_while(house: House, turn: Turn, code: str) -> None:
    now = 0.0
    house.chat._streams._clock = lambda: now
    house.slack.faults.fail(START, Failure(error=code))
    turn = await show(house, turn, "Because", "Because it")
    await house.chat.show(turn.finish("Because it is."))
    assert made(house) == [START, POST, UPDATE, UPDATE]
    another = replace(turn, id=TurnId(turn.id + 1), reply=await _first(house, turn)).start("model-a")
    another = await show(house, another, "Again")
    await house.chat.show(another.finish("Again."))
    assert made(house)[4:] == [POST, UPDATE]
    now = 3_601.0
    another = replace(another, id=TurnId(turn.id + 2), reply=await _first(house, turn))
    await show(house, another, "Once more")
    assert made(house)[-1] == START


async def _first(house: House, turn: Turn) -> Reply:
    """The note with which the question came."""
    found = await house.relay.turn(turn.question.key)
    assert found
    return found.reply


@pytest.mark.parametrize(
    "code", ["message_not_in_streaming_state", "msg_too_long", "streaming_mode_mismatch", "odd_code"]
)
async def test_a_stream_that_takes_no_more_goes_on_as_a_message(house: House, turn: Turn, code: str) -> None:
    turn = await show(house, turn, "Because it")
    if code == "message_not_in_streaming_state":
        house.slack.faults.stream_seconds = 0.0
    else:
        house.slack.faults.fail(APPEND, Failure(error=code))
    turn = await show(house, turn, "Because it was late, and")
    (message,) = answers(house)
    assert shown(message) == "Because it was late, and\n[Stop]"
    await house.chat.show(turn.finish("Because it was late, and dark."))
    (message,) = answers(house)
    assert shown(message) == "Because it was late, and dark."
    assert house.slack.streams == 0


@pytest.mark.parametrize("code", ["message_not_in_streaming_state", "invalid_blocks", "msg_too_long", "odd_code"])
async def test_an_end_that_is_refused_is_an_update(house: House, turn: Turn, code: str) -> None:
    turn = await show(house, turn, "Because it")
    if code == "message_not_in_streaming_state":
        house.slack.faults.stream_seconds = 0.0
    else:
        house.slack.faults.fail(STOP, Failure(error=code))
    await house.chat.show(turn.remark("By the way").finish("Because it was late."))
    (message,) = answers(house)
    assert shown(message) == "Because it was late.\nBy the way"
    assert house.slack.streams == 0


async def test_a_limit_on_beginnings_has_the_answer_posted(house: House, turn: Turn) -> None:
    house.slack.faults.rate_limit(START, retry_after=60)
    turn = await show(house, turn, "Because", "Because it")
    await house.chat.show(turn.finish("Because it is."))
    assert made(house) == [START, POST, UPDATE, UPDATE]


async def test_a_limit_on_appending_is_told_and_nothing_is_lost_or_doubled(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    house.slack.faults.rate_limit(APPEND, retry_after=30)
    with pytest.raises(ChatLimited):
        await show(house, turn, "Because it was late, and")
    await house.chat.show(turn.finish("Because it was late, and dark."))
    (message,) = answers(house)
    assert shown(message) == "Because it was late, and dark."
    assert made(house) == [START, APPEND, STOP]


async def test_a_limit_on_ends_keeps_no_words_back(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    house.slack.faults.rate_limit(STOP, retry_after=1)
    with pytest.raises(ChatLimited) as refusal:
        await house.chat.show(turn.finish("Because it is."))
    assert refusal.value.retry_after
    (message,) = answers(house)
    assert shown(message) == "Because it is."
    house.slack.faults.clear()
    house.slack.limits.enforced = False
    house.slack.limits._held.clear()
    house.chat._pace._windows[STOP] = Window(20)
    await house.chat.show(turn.finish("Because it is."))
    (message,) = answers(house)
    assert shown(message) == "Because it is."
    assert house.slack.streams == 0


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("method", [APPEND, STOP])
async def test_what_nobody_knows_the_outcome_of_is_neither_lost_nor_said_twice(
    house: House, turn: Turn, method: str, *, is_done: bool
) -> None:
    turn = await show(house, turn, "Because it")
    house.slack.faults.odd(method, replies.Reply(503, b"", "text/plain"), done=is_done)
    if method == APPEND:
        turn = await show(house, turn, "Because it was late, and")
    else:
        with pytest.raises(ChatBusy):
            await house.chat.show(turn.finish("Because it was late, and dark."))
    await house.chat.show(turn.finish("Because it was late, and dark."))
    (message,) = answers(house)
    assert shown(message) == "Because it was late, and dark."
    assert house.slack.streams == 0


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_beginning_that_nobody_knows_the_outcome_of_is_looked_for(
    house: House, turn: Turn, *, is_done: bool
) -> None:
    house.slack.faults.odd(START, replies.Reply(503, b"", "text/plain"), done=is_done)
    with pytest.raises(ChatBusy):
        await show(house, turn, "Because it")
    await house.chat.show(turn.finish("Because it is."))
    (message,) = answers(house)
    assert shown(message) == "Because it is."
    assert house.slack.streams == 0


# What others do


async def test_another_process_ends_a_stream_and_shows_nothing_shorter(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it was late, and")
    house.chat = house.build()
    again = replace(turn, attempt=turn.attempt + 1).start("model-a")
    again = await show(house, again, "Because")
    assert [shown(message) for message in answers(house)] == ["Because it was late, and"]
    assert house.slack.streams == 0
    await house.chat.show(again.finish("Because it was dark."))
    (message,) = answers(house)
    assert shown(message) == "Because it was dark."


async def test_a_stream_that_was_not_written_down_is_found(house: House, turn: Turn) -> None:
    """The process died between the two."""
    await house.chat.show(turn.grow("Because it was late, and"))
    house.chat = house.build()
    again = replace(turn, attempt=turn.attempt + 1)
    await house.chat.show(again.finish("Because it is."))
    (message,) = answers(house)
    assert shown(message) == "Because it is."
    assert house.slack.streams == 0


async def test_an_ended_stream_is_no_lost_one_of_another_turn(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    await house.chat.show(turn.finish("Because it is."))
    house.chat = house.build()
    other = replace(turn, id=TurnId(turn.id + 1), attempt=2, reply=await _first(house, turn)).start("model-a")
    await house.chat.show(other.finish("Another answer."))
    assert [shown(message) for message in answers(house)] == ["Because it is.", "Another answer."]


async def test_a_stream_that_a_person_stops_ends_with_what_came(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    await house.slack.stop_session("ada", house.slack.open_dm("ada"), turn.question.key.split("/")[-1])
    with pytest.raises(ThreadGone) as refusal:
        await show(house, turn, "Because it was late, and")
    assert refusal.value.code == "stopped_by_user"
    await house.chat.show(turn.grow("Because it was late, and").stop())
    (message,) = answers(house)
    assert shown(message) == "Because it was late, and\nStopped."


async def test_a_stream_that_somebody_deleted_is_not_begun_again(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    await house.slack.delete(answers(house)[0])
    with pytest.raises(AnswerDeleted):
        await show(house, turn, "Because it was late, and")
    await house.chat.show(turn.stop())
    assert not answers(house)


async def test_a_withdrawn_turn_takes_its_stream_away(house: House, turn: Turn) -> None:
    turn = await show(house, turn, "Because it")
    await house.chat.show(replace(turn, is_withdrawn=True, answer="").stop())
    assert not answers(house)
    assert house.slack.streams == 0
