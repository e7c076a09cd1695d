"""What people do with a finished answer, on every database: each once, however often it is wished for."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from bots.stats import NOTHING, table
from core.aftermath import BRANCHED, STALE, Verdict, derived
from core.errors import NotAllowed, Refused, TooMany
from core.preset import Preset
from core.quota import Quota
from core.rates import Rates
from core.relay import Relay
from core.storage.database import Database
from core.storage.ledger import Ledger
from core.storage.stats import stats
from core.storage.tables import feedback, threads, turns
from core.thread import PlaceId, Thread, ThreadId
from core.turn import GOES_ON, NOTHING_SHOWN, Question, QuestionKey, Reply, Status, Turn

ROOM = PlaceId("chat:work/room")
THREAD = Thread(ThreadId("chat:work/room/1"), "chat", (PlaceId("chat:work"), ROOM))
OTHER = Thread(ThreadId("chat:work/room/2"), "chat", (PlaceId("chat:work"), ROOM))
PRESETS = {"default": Preset(model="m", instructions="")}


def question(key: str = "q", by: str = "ada", thread: Thread = THREAD, **more: Any) -> Question:
    return Question(QuestionKey(key), thread, by, f"Why {key}?", asker_name=by.title(), **more)


@pytest.fixture
def woken() -> list[ThreadId]:
    return []


@pytest.fixture
def relay(ledger: Ledger, woken: list[ThreadId]) -> Relay:
    return Relay(ledger, woken.append, PRESETS, longest_question=100)


async def answered(ledger: Ledger, asked: Question | None = None, **how: Any) -> Turn:
    """Ask, answer, and return the turn as it is recorded."""
    asked = asked or question()
    await ledger.accept(asked, NOTHING_SHOWN)
    return await answered_again(ledger, asked, **how)


async def answered_again(ledger: Ledger, asked: Question, **how: Any) -> Turn:
    taken = await ledger.take(asked.thread.id)
    assert taken
    assert taken.turn.question.key == asked.key
    turn = replace(taken.turn.start("m").finish("Because it is so"), **({"answered_as": "default"} | how))
    await ledger.conclude(turn, None, epoch=taken.epoch)
    await ledger.settle(turn.settle())
    found = await ledger.turn(asked.key)
    assert found
    return found


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def go_on(relay: Relay, turn: Turn, by: str = "ada", manages: Any = no) -> bool:
    return await relay.aftermath.go_on(turn, turn.attempt, by, name="", reply=Reply("note"), manages=manages)


async def verdicts(database: Database) -> list[tuple[Any, ...]]:
    def look(connection: Connection) -> list[tuple[Any, ...]]:
        of = feedback.c.person, feedback.c.verdict, feedback.c.comment, feedback.c.model
        return [tuple(row) for row in connection.execute(select(*of).order_by(feedback.c.person))]

    return await database.run(look)


# Judging


async def test_each_has_one_verdict_which_may_change(relay: Relay, ledger: Ledger, database: Database) -> None:
    turn = await answered(ledger)
    judge = relay.aftermath.judge
    await asyncio.gather(*(judge(turn, turn.attempt, "ada", Verdict.GOOD) for _ in range(2)))
    await judge(turn, turn.attempt, "ben", Verdict.BAD)
    assert await relay.aftermath.comment(turn.question.key, "ben", "Too short.\0")
    await judge(turn, turn.attempt, "ben", Verdict.BAD)
    assert await verdicts(database) == [
        ("ada", "good", "", "m"),
        ("ben", "bad", "Too short.\N{REPLACEMENT CHARACTER}", "m"),
    ]
    await judge(turn, turn.attempt, "ada", Verdict.BAD)
    await judge(turn, turn.attempt, "ben", Verdict.GOOD)
    assert await verdicts(database) == [("ada", "bad", "", "m"), ("ben", "good", "", "m")], "it was about the other"
    page = relay.aftermath._metrics.page().decode()
    assert 'bobbin_feedback_total{verdict="good"} 2.0' in page
    assert 'bobbin_feedback_total{verdict="bad"} 2.0' in page


async def test_what_is_another_answer_by_now_is_not_judged(relay: Relay, ledger: Ledger, database: Database) -> None:
    turn = await answered(ledger)
    assert await relay.again(turn.question.key, of_attempt=turn.attempt, by="ada", manages=no)
    with pytest.raises(Refused, match=STALE):
        await relay.aftermath.judge(turn, turn.attempt, "ada", Verdict.GOOD)
    await answered_again(ledger, turn.question)
    with pytest.raises(Refused, match=STALE):
        await relay.aftermath.judge(turn, turn.attempt, "ada", Verdict.GOOD)
    assert not await relay.aftermath.comment(turn.question.key, "ada", "There is nothing to add this to.")
    assert await verdicts(database) == []


async def test_what_was_said_of_a_withdrawn_answer_is_forgotten(
    relay: Relay, ledger: Ledger, database: Database
) -> None:
    turn = await answered(ledger)
    await relay.aftermath.judge(turn, turn.attempt, "ben", Verdict.BAD)
    await relay.withdraw(turn.question.key)
    assert await verdicts(database) == []
    with pytest.raises(Refused, match=STALE):
        await relay.aftermath.judge(turn, turn.attempt, "ben", Verdict.BAD)
    assert not await relay.aftermath.comment(turn.question.key, "ben", "Why?")


# Again


async def test_a_good_answer_is_replaced_for_those_alone_whose_it_is(relay: Relay, ledger: Ledger) -> None:
    await answered(ledger, question("first", "cleo"))
    turn = await answered(ledger)
    again = relay.again
    with pytest.raises(NotAllowed):
        await again(turn.question.key, of_attempt=turn.attempt, by="ben", manages=no)
    for by, manages in (("ada", no), ("cleo", no), ("ben", yes)):
        assert await again(turn.question.key, of_attempt=turn.attempt, by=by, manages=manages)
        assert await again(turn.question.key, of_attempt=turn.attempt, by="ada", manages=manages), "twice"
        before, turn = turn, await answered_again(ledger, turn.question)
        assert turn.attempt == before.attempt + 2, "one for the wish, one for the work"
        with pytest.raises(Refused, match=STALE):
            await again(turn.question.key, of_attempt=before.attempt, by="ada", manages=no)


# Going on


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_more_of_an_answer_is_a_turn_of_its_own_once_and_in_order(
    relay: Relay, ledger: Ledger, woken: list[ThreadId], *, is_stopped: bool
) -> None:
    cut: dict[str, Any] = {"status": Status.STOPPED} if is_stopped else {"is_cut": True}
    turn = await answered(ledger, **cut)
    await ledger.accept(question("later", "ben"), NOTHING_SHOWN)
    assert sorted(await asyncio.gather(*(go_on(relay, turn) for _ in range(3)))) == [False, False, True]
    assert not await go_on(relay, turn)
    assert woken == [THREAD.id]
    taken = await ledger.take(THREAD.id)
    assert taken
    assert taken.turn.question.key == "later"
    await ledger.settle(taken.turn.start("m").finish("Later.").settle())
    taken = await ledger.take(THREAD.id)
    assert taken
    more = taken.turn
    assert (more.question.key, more.question.asker, more.reply) == (derived(turn, GOES_ON), "ada", "note")
    assert "> Why q?" in more.question.text
    assert "> Because it is so" in more.question.text
    told = await ledger.transcript(THREAD.id, more.id, 10)
    assert [one.answer for one in told] == ["Because it is so", "Later."], "and it knows what was said"


async def test_an_answer_goes_on_only_where_there_is_more_and_for_whose_it_is(relay: Relay, ledger: Ledger) -> None:
    whole = await answered(ledger)
    with pytest.raises(Refused, match="whole"):
        await go_on(relay, whole)
    turn = await answered(ledger, question("cut"), is_cut=True)
    with pytest.raises(NotAllowed):
        await go_on(relay, turn, "ben")
    assert await go_on(relay, turn, "ben", yes)
    redone = await answered(ledger, question("redone", thread=OTHER), is_cut=True)
    await relay.again(redone.question.key, of_attempt=redone.attempt)
    with pytest.raises(Refused, match=STALE):
        await go_on(relay, redone)
    assert await ledger.turn(derived(redone, GOES_ON)) is None


async def test_what_is_more_than_allowed_leaves_the_button_good(database: Database, woken: list[ThreadId]) -> None:
    full = Ledger(database, quota=Quota(1, 10, 10))
    relay = Relay(full, woken.append, PRESETS, longest_question=100)
    turn = await answered(full, is_cut=True)
    await full.accept(question("waiting", thread=OTHER), NOTHING_SHOWN)
    with pytest.raises(TooMany):
        await go_on(relay, turn)
    await answered_again(full, question("waiting", thread=OTHER))
    assert await go_on(relay, turn)
    rated = Ledger(database, rates=Rates(person_minute=1))
    other = await answered(rated, question("other", "ben", OTHER), is_cut=True)
    with pytest.raises(TooMany):
        await go_on(Relay(rated, woken.append, PRESETS, longest_question=100), other, "ben")
    assert await rated.turn(derived(other, GOES_ON)) is None


async def test_what_went_on_with_a_withdrawn_answer_goes_with_it(relay: Relay, ledger: Ledger) -> None:
    turn = await answered(ledger, is_cut=True)
    await go_on(relay, turn)
    key = derived(turn, GOES_ON)
    more = await answered_again(ledger, question(key), is_cut=True)
    await go_on(relay, more)
    last = derived(more, GOES_ON)
    assert last.count(GOES_ON) == 1, "however often it goes on, the key stays short"
    await relay.withdraw(turn.question.key)
    for one in (key, last):
        gone = await ledger.turn(QuestionKey(one))
        assert gone
        assert gone.is_withdrawn
        assert not gone.question.text


# Branches


async def test_a_branch_knows_what_was_said_up_to_its_answer(
    relay: Relay, ledger: Ledger, woken: list[ThreadId]
) -> None:
    for key in ("a", "b"):
        await answered(ledger, question(key))
    turn = await answered(ledger, question("c"))
    await answered(ledger, question("private", "ben", is_private=True))
    after = await answered(ledger, question("d"))
    branch = relay.aftermath.branch
    assert sorted(await asyncio.gather(*(branch(turn, "ben", OTHER, Reply("note"), name="Ben") for _ in range(2)))) == [
        False,
        True,
    ]
    assert woken == [OTHER.id]
    taken = await ledger.take(OTHER.id)
    assert taken
    assert (taken.turn.answer, taken.turn.is_over, taken.turn.is_answered) == (BRANCHED, True, False)
    await ledger.settle(taken.turn.settle())
    await ledger.accept(question("there", "ben", OTHER), NOTHING_SHOWN)
    taken = await ledger.take(OTHER.id)
    assert taken
    assert taken.has_earlier
    told = await ledger.transcript(OTHER.id, taken.turn.id, 10)
    assert [one.question.key for one in told] == ["a", "b", "c"]
    assert [one.question.key for one in await ledger.transcript(OTHER.id, taken.turn.id, 2)] == ["b", "c"]
    await ledger.withdraw(QuestionKey("b"))
    assert [one.question.key for one in await ledger.transcript(OTHER.id, taken.turn.id, 10)] == ["a", "c"]
    assert [one.question.key for one in await ledger.transcript(THREAD.id, after.id, 9)] == ["a", "c", "private"]
    await ledger.look(lambda deeds: deeds.forget(OTHER.id))
    assert await ledger.transcript(OTHER.id, taken.turn.id, 10) == []


async def test_a_thread_grows_from_a_branch_of_a_branch_unless_it_has_begun(ledger: Ledger, database: Database) -> None:
    first = await answered(ledger)
    await ledger.grow(OTHER, THREAD.id, first.id)
    third = Thread(ThreadId("chat:work/room/3"), "chat", THREAD.within)
    second = await answered(ledger, question("second", thread=OTHER))
    await ledger.grow(third, OTHER.id, second.id)
    await ledger.grow(third, THREAD.id, first.id)
    last = await answered(ledger, question("third", thread=third))
    told = await ledger.transcript(third.id, last.id, 10)
    assert [one.question.key for one in told] == ["q", "second"]

    def in_a_circle(connection: Connection) -> None:
        connection.execute(update(threads).values(branch_of=third.id, branched_at=10**9))

    await database.run(in_a_circle)
    assert len(await ledger.transcript(third.id, last.id, 7)) == 7, "what can't be, ends as well"


async def test_a_file_holds_what_its_reader_can_see_once_at_a_time(relay: Relay, ledger: Ledger) -> None:
    for asked in (question("a"), question("bens", "ben", is_private=True), question("adas", is_private=True)):
        await answered(ledger, asked)
    await ledger.accept(question("help"), NOTHING_SHOWN, told="I can do this.")
    taken = await ledger.take(THREAD.id)
    assert taken
    await ledger.settle(taken.turn.settle())
    turn = await answered(ledger, question("last"))
    await answered(ledger, question("after"))
    seen = await relay.aftermath.seen(turn, "ada", within=timedelta(minutes=1))
    assert [one.question.key for one in seen] == ["a", "adas", "last"]
    assert await relay.aftermath.seen(turn, "ada", within=timedelta(minutes=1)) == []
    assert len(await relay.aftermath.seen(turn, "ben", within=timedelta(minutes=1))) == 3


# Statistics


async def test_they_are_told_by_day_preset_and_model(relay: Relay, ledger: Ledger, database: Database) -> None:
    now = datetime.now(UTC)
    assert list(table(await database.run(lambda connection: stats(connection, 7, now)))) == [NOTHING]
    # Numbers rise with time: what is older was accepted first.
    long_ago = await answered(ledger, question("long ago"))
    old = await answered(ledger, question("old"))

    def age(connection: Connection) -> None:
        for turn, days in ((long_ago, 9), (old, 1)):
            connection.execute(
                update(turns).where(turns.c.id == turn.id).values(accepted_at=now - timedelta(days=days))
            )

    await database.run(age)
    turn = await answered(ledger, question("a"))
    await answered(ledger, question("b"), status=Status.FAILED)
    await answered(ledger, question("c"), status=Status.STOPPED, answered_as="")
    await ledger.accept(question("help"), NOTHING_SHOWN, told="A hint.")
    await ledger.accept(question("waits"), NOTHING_SHOWN)
    for by, verdict in (("ada", Verdict.GOOD), ("ben", Verdict.BAD)):
        await relay.aftermath.judge(turn, turn.attempt, by, verdict)
    counted = await database.run(lambda connection: stats(connection, 7, now))
    assert counted.is_all
    today, yesterday = counted.days
    assert (today.date, yesterday.date) == (now.date(), now.date() - timedelta(days=1))
    assert [(row.preset, row.model, row.questions, row.verdicts) for row in today.rows] == [
        ("default", "m", 2, Counter(good=1, bad=1)),
        ("", "", 1, Counter()),
        ("", "m", 1, Counter()),
    ]
    assert [row.questions for row in yesterday.rows] == [1]
    head, first, *_ = table(counted)
    assert head.split()[:4] == ["day", "(UTC)", "preset", "model"]
    assert first.split() == [now.date().isoformat(), "default", "m", "2", "1", "1", "0", "0", "1", "1"]


async def test_of_a_great_many_only_the_newest_are_counted(ledger: Ledger, database: Database) -> None:
    turn, now = await answered(ledger), datetime.now(UTC)

    def more(connection: Connection) -> None:
        row = dict(connection.execute(select(turns).where(turns.c.id == turn.id)).one()._mapping)
        copies = [row | {"id": turn.id + number, "key": f"copy {number}"} for number in range(1, 6)]
        connection.execute(insert(turns), copies)

    await database.run(more)
    counted = await database.run(lambda connection: stats(connection, 7, now, most=3))
    assert [row.questions for day in counted.days for row in day.rows] == [3]
    assert not counted.is_all
