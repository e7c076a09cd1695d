"""Whatever comes in Slack's place, the answer stands there in the end, whole and once."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest

from bots.slack.errors import LONGEST_WAIT
from core.errors import ChatBusy, ChatLimited, ChatRejected, ChatUnclear
from sandbox.replies import Reply
from sandbox.slack import Failure, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.turn import Reply as Note
    from core.turn import Turn
    from tests.bots.slack.conftest import House

JSON = "application/json"
ODD = {
    "a page": Reply(),
    "nothing": Reply(body="", content_type=JSON),
    "nothing of no kind": Reply(body="", content_type=""),
    "an unknown code": Reply(body='{"ok": false, "error": "a_code_nobody_knows"}', content_type=JSON),
    "a code that is none": Reply(body='{"ok": false, "error": {"code": 5}}', content_type=JSON),
    "a list": Reply(body='["x"]', content_type=JSON),
    "a string": Reply(body='"ok"', content_type=JSON),
    "a number": Reply(body="1e400", content_type=JSON),
    "null": Reply(body="null", content_type=JSON),
    "half of it": Reply(body='{"ok": true, "ts": "17', content_type=JSON),
    "no letters": Reply(body=b'{"ok": true, "ts": "\xff\xfe"}', content_type=JSON),
    "a gigantic number": Reply(body=f'{{"ok": true, "ts": {"9" * 6_000}}}', content_type=JSON),
    "very deep": Reply(body="[" * 100_000, content_type=JSON),
    "as plain text": Reply(body='{"ok": true, "ts": "1.2"}', content_type="text/plain"),
    "packed": Reply(body=b"\x1f\x8b", content_type="application/gzip"),
    "an unknown charset": Reply(body='{"ok": true', content_type=f"{JSON}; charset=klingon"),
    "elsewhere": Reply(302, "", headers={"Location": "http://127.0.0.1:1/"}),
    "nowhere": Reply(302, "", headers={"Location": "http://[/"}),
    **{f"a page with {status}": Reply(status) for status in (400, 401, 403, 404, 407, 408, 418, 502, 599)},
    "a date to come again": Reply(503, headers={"Retry-After": "Wed, 21 Oct 2037 07:28:00 GMT"}),
}
POSTED = {
    **ODD,
    "no ts": Reply(body='{"ok": true}', content_type=JSON),
    "an odd ts": Reply(body='{"ok": true, "ts": {"a": 1}}', content_type=JSON),
}
ANSWER, SHOWN = "Because it is **late**.", "Because it is late."
SECTION = [
    {"type": "text", "text": "Because it is "},
    {"type": "text", "text": "late", "style": {"bold": True}},
    {"type": "text", "text": "."},
]


@pytest.fixture
async def turn(house: House) -> AsyncIterator[Turn]:
    house.slack.installation.scopes.discard("reactions:write")  # not of interest here
    async with house.listening():
        yield (await house.asked()).start("model-a")


async def shown_at_last(house: House, turn: Turn, tries: int = 5) -> Note:
    """As core does, without its pauses."""
    for _ in range(tries):
        try:
            return await house.chat.show(turn)
        except ChatBusy:
            continue
    raise AssertionError("never shown")


@pytest.mark.parametrize("done", [False, True], ids=["instead", "done"])
@pytest.mark.parametrize("kind", POSTED)
async def test_at_the_first_post(house: House, turn: Turn, kind: str, done: bool) -> None:  # noqa: FBT001
    house.slack.faults.odd("chat.postMessage", POSTED[kind], 2 if done else 1, done=done)
    await shown_at_last(house, turn.finish(ANSWER))
    (message,) = house.replies(turn)
    assert shown(message) == SHOWN


@pytest.mark.parametrize("done", [False, True], ids=["instead", "done"])
@pytest.mark.parametrize("kind", POSTED)
async def test_at_updates(house: House, turn: Turn, kind: str, done: bool) -> None:  # noqa: FBT001
    """While it streams, and at its end."""
    turn = turn.replied(await house.chat.show(turn.grow("Because")))
    for state in (turn.grow("Because it"), turn.finish(ANSWER)):
        house.slack.faults.odd("chat.update", POSTED[kind], done=done)
        await shown_at_last(house, state)
    (message,) = house.replies(turn)
    assert shown(message) == SHOWN


async def test_a_search_that_is_answered_oddly_is_not_taken_for_finding_nothing(house: House, turn: Turn) -> None:
    house.slack.faults.odd("chat.postMessage", Reply(), done=True)
    for reply in (Reply(), Reply(body='{"ok": true}', content_type=JSON)):
        house.slack.faults.odd("conversations.replies", reply)
    await shown_at_last(house, turn.finish(ANSWER))
    (message,) = house.replies(turn)
    assert shown(message) == SHOWN


async def test_one_that_hangs_after_it_was_done(house: House, turn: Turn) -> None:
    house.have_times(call=1.0)
    house.slack.faults.odd("chat.postMessage", Reply(after=3.0), done=True)
    await shown_at_last(house, turn.finish(ANSWER))
    (message,) = house.replies(turn)
    assert shown(message) == SHOWN


async def test_what_is_refused_for_an_unknown_reason_again_and_again_is_tried_in_plainer_clothes(
    house: House, turn: Turn
) -> None:
    house.slack.faults.fail("chat.postMessage", Failure(error="a_new_complaint_about_blocks"), times=3)
    await shown_at_last(house, turn.finish(ANSWER))
    (message,) = house.replies(turn)
    assert message.blocks[0]["elements"][0]["elements"] == [{"type": "text", "text": ANSWER}]


async def test_a_page_in_between_costs_no_clothes(house: House, turn: Turn) -> None:
    house.slack.faults.odd("chat.postMessage", Reply(), 8)
    await shown_at_last(house, turn.finish(ANSWER), tries=9)
    (message,) = house.replies(turn)
    assert message.blocks[0]["elements"][0]["elements"] == SECTION


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
async def test_a_message_that_can_not_be_edited_ends_neither_the_thread_nor_the_answer(
    house: House, turn: Turn, code: str
) -> None:
    turn = turn.replied(await house.chat.show(turn.grow("Because")))
    house.slack.faults.fail("chat.update", Failure(error=code), times=2)
    with pytest.raises(ChatRejected):  # so that live updates end, and not each is a message of its own
        await house.chat.show(turn.grow("Because it"))
    reply = await house.chat.show(turn.finish(ANSWER))
    await house.chat.show(turn.finish(ANSWER).replied(reply))
    (message,) = house.replies(turn)
    assert shown(message) == SHOWN
    assert house.calls("chat.postMessage") == 2


@pytest.mark.parametrize("told", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_limit_in_one_channel_is_kept_there_and_within_bounds(house: House, turn: Turn, told: str) -> None:
    limited = json.dumps({"ok": False, "error": "ratelimited"})
    house.slack.faults.odd("chat.postMessage", Reply(429, limited, JSON, {"Retry-After": told}))
    before = time.monotonic()
    with pytest.raises(ChatBusy) as busy:
        await house.chat.show(turn.finish(ANSWER))
    assert type(busy.value) is ChatLimited
    assert busy.value.retry_after == LONGEST_WAIT
    channel = turn.question.key.split("/")[1]
    assert 0 < house.chat._pace.silence("chat.postMessage", channel) <= LONGEST_WAIT
    await house.slack.say("ben", "random", "@bobbin elsewhere?")
    elsewhere = (await house.accepted(2))[-1].start("model-a").finish("Here.")
    await house.chat.ready(elsewhere)
    await house.chat.show(elsewhere)
    assert [shown(message) for message in house.replies(elsewhere)] == ["Here."]
    assert time.monotonic() - before < LONGEST_WAIT  # nobody sat that out


async def test_a_second_limit_is_kept_by_who_waits_for_a_first_one(
    house: House, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.slack.caller.random.random", lambda: 2.0)  # so much longer than it was told
    await house.chat.show(turn.grow("Because"))
    (message,) = house.replies(turn)
    update = house.chat._api.update
    house.slack.faults.rate_limit("chat.update", retry_after=1)
    waiting = asyncio.create_task(update(channel=message.channel, ts=message.ts, text="One."))
    await house.slack.wait_for(lambda: house.calls("chat.update") == 1)
    await asyncio.sleep(1.1)  # until then the local Slack would refuse it for that reason
    house.slack.faults.rate_limit("chat.update", retry_after=3)
    another = asyncio.create_task(update(channel=message.channel, ts=message.ts, text="Two."))
    await house.slack.wait_for(lambda: house.calls("chat.update") == 2)
    refused_at = time.monotonic()
    await house.slack.wait_for(lambda: house.calls("chat.update") == 3, 10)
    assert time.monotonic() - refused_at > 2.9
    await asyncio.gather(waiting, another, return_exceptions=True)


async def test_an_end_that_is_limited_twice_in_a_row_waits_twice(house: House, turn: Turn) -> None:
    """Whatever comes too early the local Slack refuses once more."""
    turn = turn.replied(await house.chat.show(turn.grow("Because")))
    house.slack.faults.rate_limit("chat.update", retry_after=2, times=2)
    turn = turn.finish(ANSWER)
    with pytest.raises(ChatLimited):
        await house.chat.show(turn)
    await house.chat.ready(turn)
    await house.chat.show(turn)
    (message,) = house.replies(turn)
    assert shown(message) == SHOWN
    assert [call.status for call in house.slack.calls if call.method == "chat.update"] == [429, 429, 200]


async def test_a_lost_post_is_found_where_no_bot_is_named(house: House, turn: Turn) -> None:
    """As on servers that others wrote."""
    house.slack.faults.odd("chat.postMessage", Reply(), done=True)
    with pytest.raises(ChatBusy):
        await house.chat.show(turn.finish(ANSWER))
    (lost,) = house.replies(turn)
    house.slack.faults.added[lost.ts] = {"bot_id": None}
    await house.chat.show(turn.finish(ANSWER))
    assert [message.ts for message in house.replies(turn)] == [lost.ts]


@pytest.mark.parametrize("told", ["", "soon", "nan", "-5", "0", "Wed, 21 Oct 2015 07:28:00 GMT"])
async def test_a_limit_that_names_no_time_is_waited_out(house: House, turn: Turn, told: str) -> None:
    house.slack.faults.odd("chat.postMessage", Reply(429, "slow down", headers={"Retry-After": told}))
    await house.chat.show(turn.finish(ANSWER))
    assert [shown(message) for message in house.replies(turn)] == [SHOWN]


@pytest.mark.parametrize("kind", ["a page", "a list", "an unknown code", "half of it", "a page with 403"])
async def test_reactions_whispers_and_appeals_survive_it(house: House, kind: str) -> None:
    async with house.listening():
        for method in ("reactions.add", "reactions.remove", "chat.postEphemeral", "users.info"):
            house.slack.faults.odd(method, ODD[kind], None)
        turn = await house.asked()
        await house.slack.wait_for(lambda: house.calls("reactions.add"))
        await house.chat.show(turn.start("model-a").finish(ANSWER))
        assert [shown(message) for message in house.replies(turn)] == [SHOWN]
        house.slack.faults.odd("chat.postMessage", ODD[kind])
        with pytest.raises(ChatUnclear):
            await house.chat.appeal(turn)
        await house.slack.say("ada", "general", "@bobbin preset set terse")
        await house.slack.wait_for(lambda: house.calls("users.info"))
        await house.all_delivered(2)
