"""Whatever comes in Discord's place, the answer stands there in the end, whole and once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from bots.discord.errors import LONGEST_WAIT
from core.errors import ChatBusy, ChatUnclear
from sandbox.replies import Reply

if TYPE_CHECKING:
    from core.turn import Turn
    from tests.bots.discord.conftest import House

POST = "POST /channels/{channel_id}/messages"
EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
HISTORY = "GET /channels/{channel_id}/messages"
START_THREAD = "POST /channels/{channel_id}/messages/{message_id}/threads"
ORIGINAL = "PATCH /webhooks/{application_id}/{token}/messages/@original"
RESPOND = "POST /interactions/{interaction_id}/{token}/callback"
JSON = "application/json"
LIMITS = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Bucket": "b"}


def limits(**changes: str) -> Reply:
    return Reply(200, "{}", JSON, {**LIMITS, **{f"X-RateLimit-{k.replace('_', '-')}": v for k, v in changes.items()}})


def refused(code: object, status: int = 400) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": "no"}), JSON)


ODD = {
    "a page": Reply(),
    "nothing": Reply(body="", content_type=JSON),
    "nothing of no kind": Reply(body="", content_type=""),
    "an unknown code": refused(999_999),
    "a code that is none": refused({"a": 1}),
    "a list": Reply(body="[1]", content_type=JSON),
    "a string": Reply(body='"ok"', content_type=JSON),
    "a number": Reply(body="1e400", content_type=JSON),
    "null": Reply(body="null", content_type=JSON),
    "an empty object": Reply(body="{}", content_type=JSON),
    "an object of odd parts": Reply(
        body='{"id": "x", "channel_id": [], "author": 5, "content": null, "attachments": 7}', content_type=JSON
    ),
    "half of it": Reply(body='{"id": "17', content_type=JSON),
    "no letters": Reply(body=b'{"id": "\xff\xfe"}', content_type=JSON),
    "very deep": Reply(body="[" * 100_000, content_type=JSON),
    "another type": Reply(body='{"id": "1"}', content_type="application/json; charset=utf-8"),
    "elsewhere": Reply(302, "", headers={"Location": "http://127.0.0.1:1/"}),
    "nowhere": Reply(302, "", headers={"Location": "http://[/"}),
    **{f"a page with {status}": Reply(status) for status in (400, 401, 403, 404, 407, 408, 418, 429, 503, 599)},
    "limits that are no numbers": limits(Limit="many", Remaining="some", Reset_After="soon"),
    "limits without an end": limits(Remaining="0", Reset_After="nan"),
    "a limit of nothing": limits(Limit="0", Remaining="0", Reset_After="0.01"),
    "a wait without a time": Reply(429, "{}", JSON),
    "a wait in words": Reply(429, '{"retry_after": "soon"}', JSON),
    "a wait that is no number": Reply(429, '{"retry_after": NaN}', JSON),
    "a wait of the past": Reply(429, '{"retry_after": -5, "global": true}', JSON),
    "a wait for ever": Reply(429, '{"retry_after": 1e400}', JSON),
}
ANSWER = "Because it is **late**."


async def shown_at_last(house: House, turn: Turn, tries: int = 5) -> Turn:
    """As core does, without its pauses."""
    for _ in range(tries):
        try:
            return turn.replied(await house.chat.show(turn))
        except ChatBusy:
            continue
    raise AssertionError("never shown")


@pytest.mark.parametrize("done", [False, True], ids=["instead", "done"])
@pytest.mark.parametrize("kind", ODD)
async def test_at_the_first_post_and_at_updates(house: House, kind: str, done: bool) -> None:  # noqa: FBT001
    async with house.listening():
        turn = (await house.asked(to=house.discord.open_dm("ada"))).start("m")
        for route, state in (
            (POST, turn.grow("Because")),
            (EDIT, turn.grow("Because it")),
            (EDIT, turn.finish(ANSWER)),
        ):
            house.discord.faults.odd(route, ODD[kind], done=done)
            turn = await shown_at_last(house, state.replied(turn.reply))
        assert [one.content for one in house.said(house.discord.open_dm("ada"))] == [ANSWER]


@pytest.mark.parametrize("done", [False, True], ids=["instead", "done"])
@pytest.mark.parametrize("kind", ["a page", "an empty object", "a page with 403", "a page with 404", "half of it"])
async def test_when_the_thread_is_made(house: House, kind: str, done: bool) -> None:  # noqa: FBT001
    house.discord.faults.odd(START_THREAD, ODD[kind], 2, done=done)  # the first may be for the sign of life
    async with house.listening():
        turn = await house.asked()
        await shown_at_last(house, turn.start("m").finish(ANSWER))
        assert [one.content for one in house.said(house.thread())] == [ANSWER]


@pytest.mark.parametrize("lasts", [False, True])
async def test_an_unknown_refusal_of_a_thread_is_believed_only_when_it_lasts(
    house: House,
    lasts: bool,  # noqa: FBT001
) -> None:
    if lasts:
        house.have_times(unclear_for=-1.0)
    house.discord.faults.odd(START_THREAD, Reply(400, '{"code": 999999, "message": "?"}', JSON), 2)
    async with house.listening():
        turn = await house.asked()
        await shown_at_last(house, turn.start("m").finish(ANSWER))
        place = house.discord.channel("general") if lasts else house.thread()
        assert [one.content for one in house.said(place)] == [ANSWER]


@pytest.mark.parametrize("tells_nonce", [False, True])
@pytest.mark.parametrize("kind", ["a page", "half of it", "a page with 403"])
async def test_long_after_an_odd_reply_it_is_looked_for_before_it_is_posted_again(
    house: House,
    kind: str,
    tells_nonce: bool,  # noqa: FBT001
) -> None:
    """By then Discord no longer knows the nonce."""
    house.have_times(nonce_trusted=-1.0)
    house.discord.faults.nonce_lifetime = 0.0
    async with house.listening():
        turn = await house.asked()
        house.discord.faults.odd(POST, ODD[kind], done=True)
        with pytest.raises(ChatUnclear):
            await house.chat.show(turn.start("m").grow("Because"))
        if not tells_nonce:
            house.said(house.thread())[0].nonce = None
        for reply in (Reply(), Reply(body="{}", content_type=JSON)):
            house.discord.faults.odd(HISTORY, reply)
        await shown_at_last(house, turn.start("m").finish(ANSWER))
        assert [one.content for one in house.said(house.thread())] == [ANSWER]
        assert house.calls(POST) == 1


async def test_a_process_that_takes_a_turn_over_long_after_looks_for_it_as_well(house: House) -> None:
    house.have_times(nonce_trusted=-1.0)
    house.discord.faults.nonce_lifetime = 0.0
    async with house.listening():
        turn = await house.asked()
        await house.chat.show(turn.start("m").finish(ANSWER))
        house.chat = house.build()
        (again,) = await house.accepted()
        assert again.attempt == 2
        await house.show(again.start("m").finish(ANSWER))
        assert [one.content for one in house.said(house.thread())] == [ANSWER]


async def test_nothing_is_looked_for_where_nothing_can_stand(house: House) -> None:
    """A call more for each answer would be one too many."""
    house.have_times(nonce_trusted=-1.0)
    async with house.listening():
        turn = await house.asked()
        before = house.calls(HISTORY)
        await house.show(turn.start("m").finish("words " * 600))
        assert len(house.said(house.thread())) == 2
        assert house.calls(HISTORY) == before


@pytest.mark.parametrize("kind", ["a page", "an empty object", "half of it", "a page with 403", "an unknown code"])
async def test_in_the_response_to_a_command(house: House, kind: str) -> None:
    async with house.listening():
        house.discord.faults.odd(RESPOND, ODD["a page"], done=True)
        turn = (await house.asked_by_command()).start("m")
        for state in (turn.grow("Because"), turn.finish(ANSWER)):
            house.discord.faults.odd(ORIGINAL, ODD[kind])
            turn = await shown_at_last(house, state.replied(turn.reply))
        assert [one.content.rpartition("\n")[2] for one in house.said("general")] == [ANSWER]


@pytest.mark.parametrize("told", ["86400", "1e400", "31"])
async def test_a_wait_is_bounded_and_kept_by_its_channel_alone(house: House, told: str) -> None:
    async with house.listening():
        turn, elsewhere = await house.asked(), await house.asked(to=house.discord.open_dm("ben"), user="ben")
        await shown_at_last(house, turn.start("m").grow("Because"))
        house.discord.faults.odd(EDIT, Reply(429, f'{{"retry_after": {told}}}', JSON))
        before = time.monotonic()
        with pytest.raises(ChatBusy) as busy:
            await house.chat.show(turn.start("m").finish(ANSWER))
        assert 30 < (busy.value.retry_after or 0) <= LONGEST_WAIT
        await house.show(elsewhere.start("m").finish("Here."))
        await house.chat.show(turn.start("m").finish(ANSWER))
        assert [one.content for one in house.said(house.thread())] == [ANSWER]
        assert time.monotonic() - before < 30  # nobody sat that out


async def test_limits_that_never_end_do_not_close_a_channel_for_good(house: House) -> None:
    house.have_times(longest_wait=1.0)
    async with house.listening():
        turn = await house.asked()
        await shown_at_last(house, turn.start("m").grow("Because"))
        for remaining in "0", "1":
            house.discord.faults.odd(EDIT, limits(Remaining=remaining, Reset_After="1e9"))
            await shown_at_last(house, turn.start("m").finish(ANSWER + remaining))
        assert [one.content for one in house.said(house.thread())] == [ANSWER + "1"]


@pytest.mark.parametrize("kind", ["a page", "an empty object", "half of it", "a page with 403"])
async def test_who_can_not_be_told_something_is_survived(house: House, kind: str) -> None:
    house.have_times(patience=0.01)
    house.discord.faults.odd("PUT /applications/{application_id}/commands", ODD[kind])
    async with house.listening():
        turn = await house.asked()
        house.ledger.is_away = True
        house.discord.faults.odd(POST, ODD[kind])
        calls = house.calls(POST)
        await house.discord.say("ada", "general", "@bobbin and this?")
        await house.discord.wait_for(lambda: house.calls(POST) > calls)
        house.ledger.is_away = False
        house.discord.faults.odd("POST /users/@me/channels", ODD[kind])
        with pytest.raises(ChatUnclear):
            await house.chat.appeal(turn)
        await house.show(turn.start("m").finish(ANSWER))
        assert [one.content for one in house.said(house.thread())] == [ANSWER]
