"""What people do with a finished answer, on every platform: once, where it stands, and told to who clicked alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bots.discord.settings import Section
from bots.listening.finished import BEING_ANSWERED, BRANCHED_BEFORE, CONTINUED_BEFORE, NOTED, THANKS
from bots.listening.router import NO_SUCH_QUESTION
from bots.reply.page import Wish
from core.aftermath import BRANCHED, STALE, derived
from core.turn import GOES_ON, QuestionKey, Status
from sandbox.discord import LocalDiscord
from tests.bots.discord import conftest as discord
from tests.bots.outage import Outage
from tests.bots.pressed import CASES, REASONING, Changed, OnDiscord, OnSlack, Pressing, changed
from tests.bots.slack import conftest as slack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.storage.database import Database

Platform = Pressing[Any, Any]


@asynccontextmanager
async def on_slack(ledger: Outage) -> AsyncIterator[Platform]:
    async with slack._house("socket", ledger, slack.Door()) as house:
        yield OnSlack(house)


@asynccontextmanager
async def on_discord(ledger: Outage) -> AsyncIterator[Platform]:
    async with LocalDiscord() as local:
        section = Section(token=local.token, api_url=local.api_url, gateway_url=local.gateway_url)
        yield OnDiscord(discord.House(local, section, ledger))


@pytest.fixture(params=[on_slack, on_discord])
async def platform(
    request: pytest.FixtureRequest,
    database: Database,
    addresses: None,
) -> AsyncIterator[Platform]:
    async with request.param(Outage(database)) as platform:
        yield platform


async def test_they_come_with_the_answer_and_cost_no_call(platform: Platform) -> None:
    async with platform.house.listening():
        _, answer = await platform.finished()
        assert (platform.words(answer), platform.writes()) == ("Because.", 1)
        assert platform.buttons(answer) == [Wish.GOOD, Wish.BAD, Wish.AGAIN, Wish.MORE]
        streaming = await platform.show((await platform.asked("@bobbin who?")).start("model-a").grow("Be"))
        before = platform.writes()
        await platform.finished(replace(streaming, status=Status.QUEUED))
        assert platform.writes() == before + 1


async def test_what_bobbin_says_itself_has_none_of_them(platform: Platform) -> None:
    async with platform.house.listening():
        turn = await platform.show(await platform.asked("@bobbin"))
        assert turn.is_over
        assert not platform.buttons(platform.said(turn)[-1])


async def test_both_who_press_at_once_have_one_new_answer(platform: Platform) -> None:
    async with platform.house.listening():
        turn, answer = await platform.finished()
        assert not await platform.press("ada", answer, Wish.AGAIN, times=2)
        again = await platform.taken()
        assert again.attempt == turn.attempt + 2
        before = platform.writes()
        started = await platform.show(replace(again, is_anew=True).start("model-a"))
        assert platform.writes() == before, "the old answer stays until there is a new one"
        _, newer = await platform.finished(replace(started, status=Status.QUEUED))
        assert newer is answer or newer.ts == answer.ts


async def test_only_those_replace_an_answer_whose_it_is(platform: Platform) -> None:
    async with platform.house.listening():
        turn, answer = await platform.finished()
        (refusal,) = await platform.press("ben", answer, Wish.AGAIN, told=1)
        assert refusal.startswith("Only the person who asked")
        still = await platform.house.ledger.turn(turn.question.key)
        assert still
        assert still.attempt == turn.attempt


async def test_an_answer_that_broke_off_goes_on_once_below_also_after_a_restart(platform: Platform) -> None:
    async with platform.house.listening():
        turn, answer = await platform.finished(is_cut=True)
        assert platform.buttons(answer) == [Wish.GOOD, Wish.BAD, Wish.CONTINUE, Wish.AGAIN, Wish.MORE]
    platform.restart()
    async with platform.house.listening():
        assert await platform.press("ada", answer, Wish.CONTINUE, times=2, told=1) == [CONTINUED_BEFORE]
        more = await platform.taken()
        assert more.question.key == derived(turn, GOES_ON)
        more, below = await platform.finished(more, is_cut=True)
        assert [platform.words(one) for one in platform.said(turn)] == ["Because.", "Because."]
        await platform.press("ada", below, Wish.CONTINUE)
        assert (await platform.taken()).question.key == derived(more, GOES_ON)


async def test_it_is_judged_and_the_judgement_changed_and_explained(platform: Platform) -> None:
    async with platform.house.listening():
        _, answer = await platform.finished()
        assert await platform.press("ada", answer, Wish.GOOD, times=2, told=2) == [THANKS, THANKS]
        assert await platform.verdicts() == [("good", "")]
        form = await platform.form("ada", answer)
        assert await platform.verdicts() == [("bad", "")], "it counts without a comment"
    platform.restart()
    async with platform.house.listening():
        assert await platform.fill_in("ada", form, "It is @everyone <!channel> wrong.") == [NOTED]
        assert not await platform.fill_in("ada", await platform.form("ada", answer), "")
        assert await platform.verdicts() == [("bad", "It is @everyone <!channel> wrong.")]


async def test_details_are_for_who_clicked_with_what_the_model_thought(platform: Platform) -> None:
    async with platform.house.listening():
        turn, answer = await platform.finished()
        details = await platform.details("ben", answer)
        for fact in ("default", "model-a", "2.5 seconds", "8 characters", turn.reference, REASONING):
            assert fact in platform.words(details)
        assert platform.buttons(details) == [Wish.BRANCH, Wish.EXPORT]


async def test_a_thread_is_sent_as_a_file_to_who_wants_it(platform: Platform) -> None:
    async with platform.house.listening():
        _, answer = await platform.finished()
        await platform.press("ben", await platform.details("ben", answer), Wish.EXPORT, times=2, told=1)
        (content,) = await platform.exported("ben")
    assert "> why?\n\nBecause.\n" in content
    assert "Hm" not in content


async def test_a_branch_begins_once_with_what_was_said_and_goes_on(platform: Platform) -> None:
    async with platform.house.listening():
        turn, answer = await platform.finished()
        details = await platform.details("ben", answer)
        assert await platform.press("ben", details, Wish.BRANCH, times=2, told=1) == [BRANCHED_BEFORE]
        branch = await platform.show(await platform.taken())
        await platform.house.ledger.settle(branch.settle())
        root, said, thread = platform.branch()
        assert said.replace("**", "").lower().startswith("ben goes on from ")
        assert said.endswith(BRANCHED)
        assert platform.leads_to(root, answer)
        assert not platform.buttons(root)
    platform.restart()
    async with platform.house.listening():
        further = await platform.asked("@bobbin and then?", by="ben", within=thread)
        before = await platform.house.ledger.transcript(further.question.thread.id, further.id, 10)
    assert [one.question.key for one in before] == [turn.question.key]


@pytest.mark.parametrize(("user", "wish", "expected"), CASES)
async def test_pressed_twice_at_once_after_a_restart_it_does_one_thing(
    platform: Platform, user: str, wish: Wish, expected: Changed
) -> None:
    async with platform.house.listening():
        turn, on = await platform.finished(is_cut=True)
    platform.restart()
    async with platform.house.listening():
        if wish in (Wish.EXPORT, Wish.BRANCH):  # which stand in the details
            on = await platform.details(user, on)
        await platform.press(user, on, wish, times=2)
        assert await changed(platform.house.ledger, turn) == expected
        if wish is Wish.EXPORT:
            assert len(await platform.exported(user)) == 1


@pytest.mark.parametrize("wish", [Wish.GOOD, Wish.CONTINUE, Wish.MORE, Wish.EXPORT, Wish.BRANCH, Wish.AGAIN])
async def test_what_holds_no_longer_says_so(platform: Platform, wish: Wish) -> None:
    """Of an answer that is being redone, that was redone, and that was withdrawn."""
    async with platform.house.listening():
        turn, answer = await platform.finished(is_cut=True)
        key, ledger = turn.question.key, platform.house.ledger
        platform.forge(answer, wish, key)
        await platform.house.relay.again(key)
        if wish is not Wish.AGAIN:  # that is what is being done
            assert await platform.press("ada", answer, wish, told=1) == [BEING_ANSWERED]
        await ledger.settle((await platform.taken()).start("m").finish("Newer.").settle())
        assert await platform.press("ada", answer, wish, told=1) == [STALE]
        await platform.house.relay.withdraw(key)
        assert await platform.press("ada", answer, wish, told=1) == [NO_SUCH_QUESTION]
        assert await platform.verdicts() == []


async def test_an_id_of_another_place_opens_nothing(platform: Platform) -> None:
    async with platform.house.listening():
        elsewhere = await platform.over(await platform.asked("@bobbin a secret?", to="random"))
        turn, answer = await platform.finished(await platform.asked())
        platform.forge(answer, Wish.MORE, elsewhere.question.key)
        assert set(await platform.press("ben", answer, Wish.MORE)) <= {NO_SUCH_QUESTION}
        platform.forge(answer, Wish.MORE, QuestionKey(f"{turn.question.key}/on9_9"))
        assert await platform.press("ben", answer, Wish.MORE, told=1) == [NO_SUCH_QUESTION]
