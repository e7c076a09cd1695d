"""Finished answers as only Discord has them: in threads, shown by a token, with a time to wait for.

All else: tests/contract/test_finished.py.
"""

from __future__ import annotations

import base64
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bots.discord.buttons import ELSEWHERE
from bots.discord.note import notes
from bots.discord.token import CLOSED
from bots.listening.finished import CONTINUED_BEFORE, NO_BRANCH
from bots.reply.page import Wish
from bots.reply.wanted import CONTINUE, RETRY, TRY_AGAIN
from core.aftermath import derived
from core.turn import GOES_ON, Status
from sandbox.discord import Interaction, Message
from tests.bots.outage import Outage
from tests.bots.pressed import ANSWER, CASES, Changed, OnDiscord, changed

if TYPE_CHECKING:
    from core.storage.database import Database
    from core.turn import Reply, Turn
    from tests.bots.discord.conftest import House


@pytest.fixture
def ledger(database: Database) -> Outage:
    """On every database."""
    return Outage(database)


@pytest.fixture
def platform(house: House) -> OnDiscord:
    return OnDiscord(house)


async def test_a_process_that_died_after_posting_makes_the_thread(
    house: House, platform: OnDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.listening():
        _, message = await platform.finished()
        await platform.press("ben", await platform.details("ben", message), Wish.BRANCH)
        branch = await platform.taken()
        with monkeypatch.context() as patch:
            patch.setattr("bots.discord.hands.DiscordHands._branch", _die)
            with pytest.raises(Died):
                await house.chat.show(branch)
    house.have_times(nonce_trusted=0.0)
    async with house.listening():
        await platform.show(await platform.taken())
        (root,) = [one for one in house.said("general") if "goes on from" in one.content]
        assert root.thread


class Died(BaseException):
    """The process is gone."""


async def _die(*_: object) -> None:
    raise Died


async def test_where_there_is_no_place_for_a_thread_none_is_offered(house: House, platform: OnDiscord) -> None:
    async with house.listening():
        direct = house.discord.open_dm("ada")
        turn = await house.asked("why?", to=direct)
        turn = await house.show(replace(turn.start("model-a").finish(ANSWER), answered_as="default"))
        await house.settle(turn)
        message = house.said(direct)[-1]
        details = await platform.details("ada", message)
        assert platform.buttons(details) == [Wish.EXPORT]
        (export,) = details.components[-1]["components"]
        export["custom_id"] = export["custom_id"].replace(Wish.EXPORT, Wish.BRANCH)
        assert await platform.press("ada", details, Wish.EXPORT) == [NO_BRANCH]


async def test_a_button_works_only_where_it_was_put(house: House, platform: OnDiscord) -> None:
    async with house.listening():
        _, message = await platform.finished()
        button = message.components[0]["components"][-1]
        button["custom_id"] = button["custom_id"].replace(str(message.channel.id), "1")
        assert await platform.press("ben", message, Wish.MORE) == [ELSEWHERE]


async def asked_apart(platform: OnDiscord, kind: str) -> tuple[Turn, Interaction]:
    """Ask where only a command's token shows the answer: in private, or where the bot isn't."""
    house = platform.house
    where: Any = "general"
    if kind == "foreign":
        house.discord.install("ada")
        where = house.discord.add_channel_elsewhere("lobby")
    click = await house.discord.slash("ada", where, "ask", question="why?", private=kind == "private")
    await house.discord.wait_for(lambda: click.thinking)
    return await platform.taken(), click


async def finished_apart(platform: OnDiscord, kind: str, **how: Any) -> tuple[Turn, Message]:
    house = platform.house
    house.keys = [base64.urlsafe_b64encode(bytes(32)).decode()]
    house.section = house.section.model_copy(update={"user_install": True})
    platform.restart()
    async with house.listening():
        turn, click = await asked_apart(platform, kind)
        turn = await platform.over(turn, **how)
        return turn, click.messages[0]


async def test_under_an_answer_that_a_token_shows_stands_what_stands_under_others(platform: OnDiscord) -> None:
    _, message = await finished_apart(platform, "private")
    assert platform.buttons(message) == [Wish.GOOD, Wish.BAD, Wish.AGAIN, Wish.SHARE, Wish.MORE]
    _, message = await finished_apart(platform, "foreign")
    assert platform.buttons(message) == [Wish.GOOD, Wish.BAD, Wish.AGAIN, Wish.MORE]


# Nobody else sees a private answer.
APART = [
    (kind, *case)
    for kind in ("private", "foreign")
    for case in CASES
    if case[1] is not Wish.BRANCH and (kind == "foreign" or case[0] == "ada")
]


@pytest.mark.parametrize(("kind", "user", "wish", "expected"), APART)
async def test_so_it_is_where_a_token_shows_the_answer(
    platform: OnDiscord, kind: str, user: str, wish: Wish, expected: Changed
) -> None:
    turn, on = await finished_apart(platform, kind, is_cut=True)
    platform.restart()
    async with platform.house.listening():
        if wish is Wish.EXPORT:
            on = await platform.details(user, on)
        clicks = await platform.clicks(user, on, platform.labels[wish], times=2)
        if expected.questions:  # each is acknowledged before it is recorded, and the other one is told so
            await platform.house.discord.wait_for(lambda: any(click.followups for click in clicks))
        assert await changed(platform.house.ledger, turn) == expected


@pytest.mark.parametrize("kind", ["private", "foreign"])
async def test_another_answer_comes_in_the_same_message_by_the_token_of_the_command(
    house: House, platform: OnDiscord, kind: str
) -> None:
    _, message = await finished_apart(platform, kind)
    platform.restart()
    async with house.listening():
        await platform.clicks("ada", message, RETRY, times=2)
        await platform.over(replace(await platform.taken(), is_anew=True), "Another.")
        (only,) = house.discord.interactions[0].messages
        assert (only.id, only.content) == (message.id, "> why?\n\nAnother.")
        assert only.is_ephemeral == (kind == "private")


@pytest.mark.parametrize("kind", ["private", "foreign"])
async def test_more_of_it_comes_by_the_token_of_the_click_however_late(
    house: House, platform: OnDiscord, kind: str
) -> None:
    turn, message = await finished_apart(platform, kind, is_cut=True)
    house.discord.expire_tokens()
    platform.restart()
    async with house.listening():
        clicks = await platform.clicks("ada", message, CONTINUE, times=2)
        await house.discord.wait_for(lambda: any(click.followups for click in clicks))
        more = await platform.taken()
        assert more.question.key == derived(turn, GOES_ON)
        await platform.over(more, "And more.")
        said = [one for click in clicks for one in click.followups]
        assert sorted(one.content for one in said) == ["And more.", CONTINUED_BEFORE]
        assert all(one.is_ephemeral for one in said if kind == "private" or one.content == CONTINUED_BEFORE)
        assert not [one for one in house.said("general") if not one.is_ephemeral]


@pytest.mark.parametrize("kind", ["private", "foreign"])
@pytest.mark.parametrize("is_good", [True, False])
async def test_once_the_token_is_over_a_sentence_says_so_and_nothing_is_asked(
    house: House,
    platform: OnDiscord,
    kind: str,
    is_good: bool,  # noqa: FBT001
) -> None:
    house.section = house.section.model_copy(update={"user_install": True})
    platform.restart()
    async with house.listening():
        turn, click = await asked_apart(platform, kind)
        turn = turn.start("model-a")
        turn = await house.show(turn.finish(ANSWER) if is_good else turn.fail("It failed."))
        turn = turn.replied(long_after(turn.reply))
        await house.settle(turn)
        (again,) = await platform.clicks("ada", click.messages[0], RETRY if is_good else TRY_AGAIN)
        assert again.response
        assert again.response.content == CLOSED
        still = await house.ledger.turn(turn.question.key)
        assert still
        assert (still.attempt, still.is_over) == (turn.attempt, True)


def long_after(reply: Reply) -> Reply:
    """A note of an answer, when the token that showed it is over."""
    note = notes().read(reply)
    assert note.where.token
    over = replace(note.where.token, until=time.time() - 1.0)
    return replace(note, where=replace(note.where, token=over)).write(is_final=True)


async def test_where_time_has_to_pass_it_says_so_and_asks_nothing_before(house: House, platform: OnDiscord) -> None:
    until = math.ceil(time.time()) + 600
    said = f"Worth another try: <t:{until}:R>"
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("model-a").fail("It is down.", helps_at=until))
        await house.settle(turn)
        message = house.said(house.thread())[-1]
        assert message.content == f"⚠️ It is down.\n-# {said}"
        assert [one["label"] for one in message.components[0]["components"]] == [TRY_AGAIN]
        assert not message.pings
    platform.restart()
    async with house.listening():
        house.discord.calls.clear()
        clicks = await platform.clicks("ada", message, TRY_AGAIN, times=2)
        assert [click.response and click.response.content for click in clicks] == [said, said]
        assert not [call for call in house.discord.calls if "messages" in call.route], "its message stays as it is"
        still = await house.ledger.turn(turn.question.key)
        assert still
        assert (still.attempt, still.status) == (turn.attempt, Status.FAILED)
        button = message.components[0]["components"][0]
        button["custom_id"] = button["custom_id"].replace(str(until), str(until - 601))  # as if that time had come
        await platform.clicks("ada", message, TRY_AGAIN, times=2)
        again = await platform.taken()
        assert again.attempt == turn.attempt + 2
        await house.show(replace(again, is_anew=True).start("model-a").finish("Because."))
        assert message.content == "Because."
