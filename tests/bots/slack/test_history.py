"""What was said in Slack before a question, and what it costs to know."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

from bots.listening.router import JUST_NOW
from bots.slack import history
from bots.slack.history import BUSY, FEW_AT_ONCE, FORBIDDEN
from core.context import Earlier
from sandbox.slack.nouns import Message as Reply

if TYPE_CHECKING:
    from core.turn import QuestionKey, Turn
    from sandbox.slack import Message
    from tests.bots.slack.conftest import House

BUDGET = 12_000
READS = ("conversations.history", "conversations.replies")


def reads(house: House) -> int:
    """Catching up sets no end."""
    return sum(call.method in READS and "latest" in call.arguments for call in house.slack.calls)


async def told(house: House, turn: Turn, since: QuestionKey | None = None) -> Earlier:
    return await house.chat.earlier(turn, since, BUDGET)


def texts(earlier: Earlier) -> list[str]:
    return [one.text for one in (*earlier.head, *earlier.remarks)]


async def asked(house: House, thread: Message | None = None) -> Turn:
    count = len(house.woken)
    await house.slack.say("ada", "general", "@bobbin why?", thread.ts if thread else None)
    return (await house.accepted(count + 1))[-1]


async def long_thread(house: House, count: int) -> Message:
    """One with so many replies, by tens with pauses between."""
    house.slack.faults.lose_events = True
    began = time.time() - count * 60
    house.slack.turn_clock_back(count * 60)
    first = await house.slack.say("ada", "general", "The pump stands still.")
    house.slack.turn_clock_back(0)
    ben = house.slack.user("ben").id
    for number in range(count):
        ts = f"{began + number // 10 * 600 + number % 10 + 1:.6f}"
        house.slack._workspace.post(
            Reply(channel=first.channel, ts=ts, user=ben, text=f"number {number}", thread_ts=first.ts)
        )
    house.slack.faults.lose_events = False
    return first


async def test_what_was_heard_costs_no_call(house: House) -> None:
    async with house.listening():
        first = await house.slack.say("ada", "general", "The pump stands still.")
        await house.slack.say("ben", "general", "Again?", first.ts)
        turn = await asked(house, first)
        assert texts(await told(house, turn)) == ["The pump stands still.", "Again?"]
    assert reads(house) == 0


async def test_what_was_read_once_is_remembered(house: House) -> None:
    for text in ("one", "two"):
        await house.slack.say("ben", "general", text)
    async with house.listening():
        turn = await asked(house)
        before = reads(house)
        assert texts(await told(house, turn)) == ["one", "two"]
        assert reads(house) == before + 1
        await house.slack.say("ben", "general", "three")
        turn = await asked(house)
        assert texts(await told(house, turn)) == ["one", "two", "why?", "three"]
        assert reads(house) == before + 1


async def test_after_a_gap_it_reads_again(house: House) -> None:
    house.have_times(look=0.02)
    async with house.listening():
        first = await house.slack.say("ada", "general", "The pump stands still.")
        turn = await asked(house, first)
        # What is younger than this counts as heard on the new connection, where catching up brings it once more.
        await house.until(lambda: float(first.ts) < time.time() - JUST_NOW)
        house.slack.drop_sockets()
        await house.until(lambda: house.chat._recent.connections >= 2)
        before = reads(house)
        assert texts(await told(house, turn)) == ["The pump stands still."]
        assert reads(house) == before + 1


async def test_where_nothing_but_mentions_comes_it_reads(house: House) -> None:
    """An app without message.channels hears nothing in between, and must not take that for all there is."""
    house.slack.installation.events = {"app_mention"}
    async with house.listening():
        first = await house.slack.say("ada", "general", "Unheard.")
        await house.slack.say("ben", "general", "This as well.", first.ts)
        turn = await asked(house, first)
        assert texts(await told(house, turn)) == ["Unheard.", "This as well."]


async def test_edits_and_deletions_count(house: House) -> None:
    async with house.listening():
        first = await house.slack.say("ada", "general", "The pump stands still.")
        wrong = await house.slack.say("ben", "general", "It burns.", first.ts)
        gone = await house.slack.say("ben", "general", "My password is 123.", first.ts)
        await house.slack.edit(wrong, "It smokes.")
        await house.slack.delete(gone)
        turn = await asked(house, first)
        assert texts(await told(house, turn)) == ["The pump stands still.", "It smokes."]
    assert reads(house) == 0


async def test_names_are_those_that_people_see(house: House) -> None:
    async with house.listening():
        first = await house.slack.say("ada", "general", "The pump stands still.")
        await house.slack.say("ben", "general", "Again?", first.ts)
        for _ in range(2):
            turn = await asked(house, first)
            earlier = await told(house, turn)
            assert [one.name for one in (*earlier.head, *earlier.remarks)][:2] == ["ada", "ben"]
    assert house.calls("users.info") == 3, "of the two, and of the bot, who is mentioned"


async def test_direct_messages_need_nothing(house: House) -> None:
    direct = house.slack.open_dm("ada")
    async with house.listening():
        turn = await house.asked("why?", to=direct)
        assert await told(house, turn) == Earlier()


async def test_of_a_thread_of_thousands_the_newest_are_read_within_bounds(house: House) -> None:
    first = await long_thread(house, 5_000)
    async with house.listening():
        turn = await asked(house, first)
        before = reads(house)
        tracemalloc.start()
        earlier = await told(house, turn)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert reads(house) - before <= history.PAGES
    assert texts(earlier)[0] == "The pump stands still."
    assert [one.text for one in earlier.remarks][-1] == "number 4999"
    assert len(earlier.remarks) + earlier.left_out >= 4_999
    assert earlier.is_more
    assert most < 20_000_000


async def test_missing_scopes_are_said(house: House) -> None:
    first = await long_thread(house, 1)
    async with house.listening():
        turn = await asked(house, first)
        house.slack.installation.scopes.discard("channels:history")
        earlier = await told(house, turn)
    assert earlier.problem == FORBIDDEN


async def test_an_app_that_is_told_few_messages_says_so_and_asks_once_a_minute(house: House) -> None:
    house.slack.faults.few_messages = True
    first = await long_thread(house, 30)
    async with house.listening():
        turn = await asked(house, first)
        house.chat._pace.reads(first.ts).__init__(40 / 60, 10)  # type: ignore[misc]  # what catching up was refused is another matter
        house.slack.limits.forget()
        before = len(house.slack.calls)
        earlier = await told(house, turn)
        again = await told(house, turn)
    assert earlier.problem == FEW_AT_ONCE
    assert texts(earlier)[0] == "The pump stands still."
    assert again.problem == BUSY
    calls = list(house.slack.calls)[before:]
    assert sum(call.method in READS for call in calls) == 1


async def test_without_a_budget_it_answers_without(house: House) -> None:
    house.have_times(context=0.01)
    first = await long_thread(house, 1)
    async with house.listening():
        house.chat._pace.refused("conversations.replies", 60.0)
        await house.slack.say("ben", "general", "Again?", first.ts)
        turn = await asked(house, first)
        earlier = await told(house, turn)
    assert earlier.problem == BUSY
    assert earlier.is_more
    assert "Again?" in texts(earlier)  # what was heard is told all the same


async def test_a_crowd_of_questions_stays_within_slacks_budgets(house: House) -> None:
    """200 at once, each in a thread that is not known yet: the worst that a minute can bring."""
    house.have_times(context=0.05)
    threads = [await house.slack.say("ben", "general", f"thread {number}") for number in range(200)]
    async with house.listening():
        turn = await asked(house, threads[0])
        questions = [
            replace(
                turn.question,
                key=type(turn.question.key)(f"slack:{house.slack.team_id}/{one.channel}/{float(one.ts) + 1:.6f}"),
                thread=replace(
                    turn.question.thread,
                    id=type(turn.question.thread.id)(f"slack:{house.slack.team_id}/{one.channel}/{one.ts}"),
                ),
            )
            for one in threads
        ]
        found = await asyncio.gather(
            *(house.chat.earlier(replace(turn, question=one), None, BUDGET) for one in questions)
        )
    assert not [call for call in house.slack.calls if call.status == 429]
    assert {one.problem for one in found} <= {"", BUSY}
    assert sum(not one.problem for one in found) >= 5


async def test_what_can_not_be_read_is_skipped(house: House) -> None:
    first = await house.slack.say("ada", "general", "The pump stands still.")
    odd = [await house.slack.say("ben", "general", f"odd {number}", first.ts) for number in range(4)]
    for message, added in zip(odd, ({"text": 5}, {"user": None}, "no object", {"ts": "soon"}), strict=True):
        house.slack.faults.added[message.ts] = added
    await house.slack.say("ben", "general", "fine", first.ts)
    async with house.listening():
        turn = await asked(house, first)
        assert texts(await told(house, turn))[-1] == "fine"
