"""A thread shows a turn as it is now, with no more calls than that takes."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from bots.reply.note import Message, Note
from bots.slack.note import Where, notes
from core.errors import ChatBusy, ChatForbidden, ChatRejected, ThreadGone
from core.turn import NOTHING_SHOWN, Reply, Status
from sandbox.slack import Change, ChangeKind, Failure, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.turn import Turn
    from sandbox.slack import Message as Shown
    from tests.bots.slack.conftest import House

LONG = "\n\n".join(f"Paragraph {number}: " + "words and words " * 60 for number in range(20))


@pytest.fixture
async def turn(house: House) -> AsyncIterator[Turn]:
    """A turn that streams, its answer still empty."""
    house.slack.installation.scopes.discard("reactions:write")  # not of interest here
    async with house.listening():
        yield (await house.asked()).start("model-a")


async def test_an_answer_grows_in_one_message_of_the_thread(house: House, turn: Turn) -> None:
    for answer in ("**Because", "**Because** it", "**Because** it is."):
        turn = turn.grow(answer)
        turn = turn.replied(await house.chat.show(turn))
    (message,) = house.replies(turn)
    assert shown(message) == "Because it is.\n[Stop]"
    assert message.thread_ts == turn.question.thread.id.split("/")[2]
    assert message.blocks[0]["elements"][0]["elements"][0] == {
        "type": "text",
        "text": "Because",
        "style": {"bold": True},
    }
    assert len(message.versions) == 3
    assert not message.edited_ts


async def test_nothing_is_posted_while_there_is_nothing_to_say(house: House, turn: Turn) -> None:
    reply = await house.chat.show(turn)
    await house.chat.show(turn.stop().replied(reply))
    assert not house.replies(turn)


async def test_what_stands_there_is_not_written_again(house: House, turn: Turn) -> None:
    turn = turn.grow("Because.")
    turn = turn.replied(await house.chat.show(turn))
    turn = turn.replied(await house.chat.show(turn))
    assert (house.calls("chat.postMessage"), house.calls("chat.update")) == (1, 0)
    turn = turn.finish("Because.")
    turn = turn.replied(await house.chat.show(turn))  # there is nothing to stop any more
    await house.chat.show(turn)
    assert (house.calls("chat.postMessage"), house.calls("chat.update")) == (1, 1)


async def test_a_long_answer_goes_on_in_more_messages_and_full_ones_stay(house: House, turn: Turn) -> None:
    for length in (10_000, 12_000, len(LONG)):
        turn = turn.grow(LONG[:length])
        turn = turn.replied(await house.chat.show(turn))
    await house.chat.show(turn.finish(LONG))
    first, *others = house.replies(turn)
    assert others
    assert len(first.versions) == 1
    for number in range(20):
        assert f"Paragraph {number}:" in "".join(shown(message) for message in (first, *others))


async def test_a_problem_stands_under_what_came(house: House, turn: Turn) -> None:
    turn = turn.grow("```\nhalf a progr")
    turn = turn.replied(await house.chat.show(turn))
    await house.chat.show(turn.fail("The AI service broke off."))
    (message,) = house.replies(turn)
    assert shown(message).endswith("half a progr\n```\n⚠️ The AI service broke off.\n[Try again]")
    assert [block["type"] for block in message.blocks] == ["rich_text", "context", "actions"]
    assert "The AI service broke off." in message.text


@pytest.mark.parametrize("answer", ["---\n\n***", "|  |\n|--|\n|  |"])
async def test_an_answer_without_a_word_is_shown_as_well(house: House, turn: Turn, answer: str) -> None:
    await house.chat.show(turn.finish(answer))
    (message,) = house.replies(turn)
    assert message.text.strip()


async def test_an_answer_pings_nobody(house: House, turn: Turn) -> None:
    await house.chat.show(turn.finish("<!channel> @here <@U0ADA> `<!everyone>` <https://evil.example|slack.com>"))
    (message,) = house.replies(turn)
    (section,) = message.blocks[0]["elements"]
    assert {element["type"] for element in section["elements"]} == {"text", "link"}
    assert [element.get("text") for element in section["elements"] if element["type"] == "link"] == [None]
    assert "<" not in message.text


async def test_another_process_goes_on_in_the_same_message(house: House, turn: Turn) -> None:
    turn = turn.grow("Because it was late, and")
    turn = turn.replied(await house.chat.show(turn))
    house.chat = house.build()
    again = replace(turn, attempt=turn.attempt + 1).start("model-a").grow("Because.")
    await house.chat.show(again.finish("Because."))
    (message,) = house.replies(turn)
    assert shown(message) == "Because."


async def test_a_message_that_was_posted_but_not_written_down_is_found(house: House, turn: Turn) -> None:
    """The process died between the two."""
    await house.chat.show(turn.grow("Because"))
    house.chat = house.build()
    again = replace(turn, attempt=turn.attempt + 1)
    await house.chat.show(again.finish("Because it is."))
    (message,) = house.replies(turn)
    assert shown(message) == "Because it is."


async def test_what_a_longer_attempt_left_is_taken_away(house: House, turn: Turn) -> None:
    reply = await house.chat.show(turn.grow(LONG))
    assert len(house.replies(turn)) > 1
    again = replace(turn, attempt=turn.attempt + 1, reply=reply)
    await house.chat.show(again.finish("In short: yes."))
    (message,) = house.replies(turn)
    assert shown(message) == "In short: yes."


REFUSED = Failure(error="invalid_blocks")


async def test_what_slack_refuses_is_shown_in_plain_pieces(house: House, turn: Turn) -> None:
    house.slack.faults.fail("chat.postMessage", REFUSED)
    turn = turn.grow(LONG[:6_000] + " <&>")
    turn = turn.replied(await house.chat.show(turn))
    house.slack.faults.fail("chat.update", REFUSED)
    await house.chat.show(turn.finish(LONG[:6_000] + " <&> end"))
    messages = house.replies(turn)
    assert len(messages) > 1
    assert all([block["type"] for block in message.blocks] == ["rich_text"] for message in messages)
    assert shown(messages[-1]).endswith(" <&> end")
    assert messages[-1].text.endswith("&lt;&amp;&gt; end")
    for number in range(4):
        assert f"Paragraph {number}:" in "".join(shown(message) for message in messages)


async def test_in_plain_clothes_an_answer_keeps_its_aside_and_its_button(house: House, turn: Turn) -> None:
    house.slack.faults.fail("chat.postMessage", REFUSED)
    await house.chat.show(turn.grow("**Because** @here").remark("By the way").fail("It broke & <!channel>."))
    (message,) = house.replies(turn)
    assert shown(message) == "**Because** @here\n\n⚠️ It broke & <!channel>.\nBy the way\n[Try again]"
    assert [block["type"] for block in message.blocks] == ["rich_text", "context", "actions"]
    assert "<" not in message.text


async def test_what_is_refused_in_plain_clothes_as_well_is_text_with_its_aside(house: House, turn: Turn) -> None:
    house.slack.faults.fail("chat.postMessage", REFUSED, times=2)
    await house.chat.show(turn.remark("By the way").fail("It broke & <!channel>."))
    (message,) = house.replies(turn)
    assert (message.text, message.blocks) == ("⚠️ It broke &amp; &lt;!channel&gt;.\n\nBy the way", ())


def is_in_full_dress(message: Shown) -> bool:
    """Is its first word bold?"""
    (section,) = message.blocks[0]["elements"]
    return bool(section["elements"][0] == {"type": "text", "text": "Because", "style": {"bold": True}})


async def test_an_aside_alone_may_be_bare_as_well_and_go_again(house: House, turn: Turn) -> None:
    house.slack.faults.fail("chat.postMessage", REFUSED, times=2)
    turn = turn.remark("You are third in line.")
    turn = turn.replied(await house.chat.show(turn))
    assert [message.text for message in house.replies(turn)] == ["You are third in line."]
    turn = turn.remark("")
    turn = turn.replied(await house.chat.show(turn))
    await house.chat.show(turn.finish("**Because**."))
    (message,) = house.replies(turn)
    assert is_in_full_dress(message)


async def test_what_was_refused_while_it_streamed_has_its_full_dress_in_the_end(house: House, turn: Turn) -> None:
    house.slack.faults.fail("chat.postMessage", REFUSED, times=2)
    turn = turn.grow("**Because** it")
    turn = turn.replied(await house.chat.show(turn))
    assert not house.replies(turn)[0].blocks
    await house.chat.show(turn.finish("**Because** it is."))
    (message,) = house.replies(turn)
    assert is_in_full_dress(message)


async def test_how_a_placeholder_is_refused_costs_an_answer_nothing(house: House, turn: Turn) -> None:
    turn = turn.replied(await house.chat.show(turn.fail("It broke.")))
    again = replace(turn, attempt=turn.attempt + 2, status=Status.STREAMING, problem="", is_anew=True)
    house.slack.faults.fail("chat.update", Failure(error="block_mismatch"), times=3)
    again = again.replied(await house.chat.show(again))
    assert house.calls("chat.update") == 3
    again = again.grow("**Because**")
    again = again.replied(await house.chat.show(again))
    (message,) = house.replies(turn)
    assert is_in_full_dress(message)


async def test_an_update_that_is_refused_puts_plain_clothes_on_what_stands_there(house: House, turn: Turn) -> None:
    turn = turn.grow("Because")
    turn = turn.replied(await house.chat.show(turn))
    house.slack.faults.fail("chat.update", Failure(error="msg_blocks_too_long"))
    await house.chat.show(turn.remark("By the way").finish("Because it is."))
    (message,) = house.replies(turn)
    assert [block["type"] for block in message.blocks] == ["rich_text", "context"]
    assert shown(message) == "Because it is.\nBy the way"


async def test_what_slack_takes_in_no_clothes_is_told(house: House, turn: Turn) -> None:
    house.slack.faults.fail("chat.postMessage", REFUSED, times=3)
    with pytest.raises(ChatRejected):
        await house.chat.show(turn.finish("Because."))


async def test_what_was_posted_before_a_failure_is_not_posted_again(house: House, turn: Turn) -> None:
    faults = house.slack.faults

    def fail_next(change: Change) -> None:
        if change.kind is ChangeKind.POSTED and not faults.failures:
            faults.fail("chat.postMessage", Failure(status=503))

    house.slack._workspace.listeners.append(fail_next)
    with pytest.raises(ChatBusy):
        await house.chat.show(turn.finish(LONG))
    assert len(house.replies(turn)) == 1
    await house.chat.show(turn.finish(LONG))
    pages = [shown(message) for message in house.replies(turn)]
    assert len(pages) == len(set(pages)) == 3


async def test_a_deleted_answer_is_not_posted_again(house: House, turn: Turn) -> None:
    turn = turn.grow("Because")
    turn = turn.replied(await house.chat.show(turn))
    await house.slack.delete(house.replies(turn)[0])
    with pytest.raises(ThreadGone):
        await house.chat.show(turn.grow("Because it"))
    assert not house.replies(turn)


async def test_a_scope_that_lacks_is_no_reason_to_try_again(house: House, turn: Turn) -> None:
    house.slack.installation.scopes.discard("chat:write")
    with pytest.raises(ChatForbidden) as refusal:
        await house.chat.show(turn.finish("Because."))
    assert refusal.value.code == "missing_scope"


async def test_who_asked_is_told_in_private_that_nothing_may_be_written(house: House, turn: Turn) -> None:
    await house.chat.appeal(turn)
    (told,) = house.slack.messages(house.slack.open_dm("ada"))
    assert f"<#{house.slack.channel('general').id}>" in told.text
    assert turn.reference in told.text


async def test_an_answer_to_what_is_gone_does_not_stay_in_the_channel(house: House, turn: Turn) -> None:
    """Slack doesn't refuse it, but posts it there: https://github.com/slack-go/slack/issues/1571"""
    (question,) = house.slack.messages("general")
    house.slack.faults.lose_events = True
    await house.slack.delete(question)
    with pytest.raises(ThreadGone):
        await house.chat.show(turn.grow("Because."))
    assert not house.slack.messages("general")
    assert (house.calls("chat.postMessage"), house.calls("chat.update")) == (1, 0)


async def test_an_answer_that_can_not_be_taken_back_is_not_written_again(house: House, turn: Turn) -> None:
    (question,) = house.slack.messages("general")
    house.slack.faults.lose_events = True
    await house.slack.delete(question)
    house.slack.faults.fail("chat.delete", Failure(error="cant_delete_message"))
    with pytest.raises(ThreadGone):
        await house.chat.show(turn.grow("Because."))
    assert house.calls("chat.postMessage") == 1


async def test_a_rate_limit_is_waited_out_and_learned_from(house: House, turn: Turn) -> None:
    house.slack.faults.rate_limit("chat.postMessage", retry_after=1)
    await house.chat.show(turn.finish("Because."))
    assert len(house.replies(turn)) == 1


async def test_a_turn_without_a_note_is_shown_where_it_was_asked(house: House, turn: Turn) -> None:
    await house.chat.show(replace(turn, reply=NOTHING_SHOWN).finish("Because."))
    assert len(house.replies(turn)) == 1


PLACE = '"channel":"C1","thread_ts":"1.0","question_ts":"2.0"'


@pytest.mark.parametrize(
    ("stored", "note"),
    [
        (
            f'{{{PLACE},"has_sign":true,"messages":[],"has_footer":false,"is_plain":false,"is_bare":false,"complete_for":1}}',
            Note(Where("C1", "1.0", "2.0", has_sign=True)),
        ),
        (
            f'{{{PLACE},"messages":["3.0","4.0"],"shown":["a","b"],"has_footer":true,"is_plain":true,"complete_for":3}}',
            Note(Where("C1", "1.0", "2.0"), (Message("3.0"), Message("4.0", has_footer=True)), 1, complete_for=3),
        ),
        (
            f'{{{PLACE},"has_sign":false,"messages":["3.0"],"has_footer":false,"is_plain":true,"is_bare":true,"complete_for":1}}',
            Note(Where("C1", "1.0", "2.0"), (Message("3.0"),), 2),
        ),
    ],
)
def test_a_note_that_an_earlier_version_stored_is_read(stored: str, note: Note[Where]) -> None:
    assert notes().read(Reply(stored)) == note


async def test_an_answer_begun_by_an_earlier_version_goes_on_in_its_message(house: House, turn: Turn) -> None:
    await house.chat.show(turn.grow("Because it was late, and"))
    (message,) = house.replies(turn)
    where = notes().read(turn.reply).where
    fields = asdict(where) | {"messages": [message.ts], "has_footer": False, "is_plain": False, "is_bare": False}
    house.chat = house.build()
    again = replace(turn, attempt=turn.attempt + 1, reply=Reply(json.dumps(fields | {"complete_for": 1})))
    await house.chat.show(again.finish("Because."))
    (message,) = house.replies(turn)
    assert shown(message) == "Because."


# What stands under it


async def test_an_aside_stands_under_the_answer_and_goes_again(house: House, turn: Turn) -> None:
    turn = turn.grow("Because").remark("Another model stepped in: <!channel>")
    turn = turn.replied(await house.chat.show(turn))
    (message,) = house.replies(turn)
    assert shown(message) == "Because\nAnother model stepped in: <!channel>\n[Stop]"
    assert message.blocks[-2]["elements"][0]["type"] == "plain_text"
    turn = turn.remark("").finish("Because.")
    await house.chat.show(turn)
    (message,) = house.replies(turn)
    assert shown(message) == "Because."


async def test_an_aside_may_stand_alone_and_the_answer_takes_its_place(house: House, turn: Turn) -> None:
    turn = turn.remark("You are third in line & will be answered.")
    turn = turn.replied(await house.chat.show(turn))
    (alone,) = house.replies(turn)
    assert shown(alone) == "You are third in line & will be answered.\n[Stop]"
    turn = turn.remark("")
    turn = turn.replied(await house.chat.show(turn))
    assert [shown(message) for message in house.replies(turn)] == ["…\n[Stop]"]
    await house.chat.show(turn.finish("Because."))
    (message,) = house.replies(turn)
    assert (message.ts, shown(message)) == (alone.ts, "Because.")


async def test_an_aside_does_not_outlive_a_turn_that_was_stopped(house: House, turn: Turn) -> None:
    turn = turn.remark("You are third in line.")
    turn = turn.replied(await house.chat.show(turn))
    await house.chat.show(turn.remark("").stop())
    assert not house.replies(turn)


async def test_only_the_last_message_has_the_aside(house: House, turn: Turn) -> None:
    await house.chat.show(turn.remark("By the way").finish(LONG))
    *full, last = [shown(message) for message in house.replies(turn)]
    assert last.endswith("By the way")
    assert not any("By the way" in page for page in full)


# Withdrawn


async def test_a_withdrawn_turn_shows_nothing_any_more(house: House, turn: Turn) -> None:
    reply = await house.chat.show(turn.grow(LONG))
    pages = house.replies(turn)
    await house.slack.delete(pages[1], "ada")
    gone = replace(turn, attempt=turn.attempt + 1, reply=reply, is_withdrawn=True, answer="").stop()
    await house.chat.ready(gone)
    reply = await house.chat.show(gone)
    assert not house.replies(turn)
    assert notes().read(reply).messages == ()


async def test_a_withdrawn_turn_takes_away_what_was_never_written_down(house: House, turn: Turn) -> None:
    await house.chat.show(turn.grow("Because"))
    house.chat = house.build()
    await house.chat.show(replace(turn, attempt=turn.attempt + 1, is_withdrawn=True).stop())
    assert not house.replies(turn)


async def test_a_withdrawn_turn_goes_as_far_as_it_is_allowed_to_know(house: House, turn: Turn) -> None:
    reply = await house.chat.show(turn.grow("Because"))
    house.slack.installation.scopes.discard("channels:history")
    await house.chat.show(replace(turn, attempt=turn.attempt + 1, is_withdrawn=True, reply=reply).stop())
    assert not house.replies(turn)
