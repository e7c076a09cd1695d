"""Whatever order the ledger's verbs come in, no turn is lost, doubled or out of its order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.errors import Overtaken, StopWanted
from core.obeying import Told
from core.storage.database import open_database
from core.storage.deeds import Deeds
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.storage.queue import Taken
from core.storage.stops import Outcome
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Question, QuestionKey, Reply, Status, Turn

T = TypeVar("T")
PLACES = st.sampled_from(("one", "two"))
NUMBERS = st.integers(0, 1_000)  # which of what there is, modulo how many there are
WORDS = st.sampled_from(("Be", "Because", "Because."))
MODEL = "m"


@dataclass(slots=True)
class Row:
    """A turn, as it ought to be."""

    turn: Turn
    is_stopping: bool = False
    life: int = 1  # the attempt with which the answer began that is made, or was made last


@dataclass(slots=True)
class Memory:
    """A thread, as it ought to be."""

    thread: Thread
    rows: list[Row] = field(default_factory=list)  # in the order of acceptance
    conversation: ConversationId | None = None
    epoch: int = 0
    forgotten: int = 0

    @property
    def next(self) -> Row | None:
        return next((row for row in self.rows if not row.turn.shown), None)

    def has_earlier(self, row: Row) -> bool:
        return any(
            self.forgotten < one.turn.id < row.turn.id
            and one.turn.model
            and one.turn.status in (Status.ANSWERED, Status.STOPPED)
            for one in self.rows
        )


@dataclass(slots=True)
class Holder:
    """A process that has taken a turn on; it does not know whether somebody else has taken it since."""

    memory: Memory
    row: Row
    turn: Turn
    epoch: int

    @property
    def is_overtaken(self) -> bool:
        return self.row.turn.attempt != self.turn.attempt


def reset(deeds: Deeds, thread: Thread) -> Told:
    deeds.forget(thread.id)
    return Told("Done.")


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, ledger: Ledger, runner: asyncio.Runner, numbers: itertools.count[int]) -> None:
        super().__init__()
        self.ledger = ledger
        self.runner = runner
        self.numbers = numbers
        # Threads of its own, so that one database does for all rounds.
        self.chat = f"chat-{next(numbers)}"
        self.memories = {name: Memory(self.thread(name)) for name in ("one", "two")}
        self.holders: list[Holder] = []

    def thread(self, name: str) -> Thread:
        return Thread(ThreadId(f"{self.chat}:{name}"), self.chat, (PlaceId(self.chat),))

    def do(self, verb: Coroutine[None, None, T]) -> T:
        return self.runner.run(verb)

    @property
    def rows(self) -> list[Row]:
        return [row for memory in self.memories.values() for row in memory.rows]

    @rule(place=PLACES)
    def accept(self, place: str) -> None:
        memory = self.memories[place]
        question = Question(QuestionKey(f"{self.chat}/{next(self.numbers)}"), memory.thread, "ada", "Why?")
        accepted = self.do(self.ledger.accept(question, NOTHING_SHOWN))
        assert accepted.is_new
        assert accepted.turn.waited == any(
            not row.turn.is_over and not row.is_stopping for row in memory.rows if not row.turn.shown
        )
        assert all(accepted.turn.id > row.turn.id for row in self.rows)
        memory.rows.append(Row(accepted.turn))

    @precondition(lambda self: self.rows)
    @rule(which=NUMBERS)
    def accept_again(self, which: int) -> None:
        row = self.rows[which % len(self.rows)]
        accepted = self.do(self.ledger.accept(row.turn.question, Reply("another")))
        assert not accepted.is_new
        assert accepted.turn == row.turn

    @rule(place=PLACES)
    def take(self, place: str) -> None:
        memory = self.memories[place]
        taken, row = self.do(self.ledger.take(memory.thread.id)), memory.next
        if row is None:
            assert taken is None
            return
        assert taken is not None
        if not taken.was_interrupted:
            row.life = taken.turn.attempt
        self._check(taken, memory, row)
        status = row.turn.status if row.turn.is_over else Status.STREAMING
        row.turn = replace(taken.turn, status=status)
        turn = taken.turn if taken.turn.is_over else taken.turn.start(MODEL)
        self.holders.append(Holder(memory, row, turn, taken.epoch))

    def _check(self, taken: Taken, memory: Memory, row: Row) -> None:
        assert taken.turn.id == row.turn.id
        assert taken.turn.attempt == row.turn.attempt + 1
        assert taken.is_stopping == row.is_stopping
        assert taken.was_interrupted == (row.turn.status is Status.STREAMING)
        known = taken.conversation.id if taken.conversation else None
        assert known == memory.conversation
        assert taken.has_earlier == memory.has_earlier(row)

    @precondition(lambda self: self.holders)
    @rule(which=NUMBERS, words=WORDS)
    def save(self, which: int, words: str) -> None:
        holder = self.holders[which % len(self.holders)]
        turn = holder.turn if holder.turn.is_over else holder.turn.grow(words)
        self._write(holder, turn.replied(Reply(words)), self.ledger.save)

    @precondition(lambda self: self.holders)
    @rule(
        which=NUMBERS, status=st.sampled_from((Status.ANSWERED, Status.FAILED, Status.STOPPED)), goes_on=st.booleans()
    )
    def conclude(self, which: int, status: Status, goes_on: bool) -> None:  # noqa: FBT001
        holder = self.holders[which % len(self.holders)]
        if holder.turn.is_over:
            return
        turn = holder.turn
        stopped = turn.stop(holder.row.turn.stopped_by)
        ended = {Status.ANSWERED: turn.finish("So."), Status.FAILED: turn.fail("So."), Status.STOPPED: stopped}
        turn = ended[status]
        name = ConversationId(f"c{next(self.numbers)}") if goes_on else None
        conversation = Conversation(name, MODEL) if name else None
        was_overtaken = holder.is_overtaken

        async def conclude(turn: Turn) -> None:
            await self.ledger.conclude(turn, conversation, epoch=holder.epoch)

        self._write(holder, turn, conclude)
        memory = holder.memory
        if not was_overtaken and memory.epoch == holder.epoch:
            later = any(row.turn.id > turn.id and row.turn.model for row in memory.rows)
            memory.conversation = None if later else name

    @precondition(lambda self: self.holders)
    @rule(which=NUMBERS)
    def settle(self, which: int) -> None:
        holder = self.holders[which % len(self.holders)]
        if holder.turn.is_over:
            self._write(holder, holder.turn.settle(), self.ledger.settle)

    def _write(self, holder: Holder, turn: Turn, verb: Callable[[Turn], Coroutine[None, None, None]]) -> None:
        if holder.is_overtaken:
            with pytest.raises(Overtaken):
                self.do(verb(turn))
            self.holders.remove(holder)
            return
        self.do(verb(turn))
        holder.turn = turn
        holder.row.turn = replace(turn, stopped_by=holder.row.turn.stopped_by)

    @rule(place=PLACES)
    def reset(self, place: str) -> None:
        memory = self.memories[place]
        self.do(self.ledger.obey_once("", lambda deeds: reset(deeds, memory.thread), timedelta(0)))
        if memory.rows:  # before its first turn a thread isn't known
            memory.conversation, memory.epoch = None, memory.epoch + 1
            memory.forgotten = memory.rows[-1].turn.id

    @precondition(lambda self: self.rows)
    @rule(which=NUMBERS, back=st.sampled_from((None, 0, 1, 2)))
    def stop(self, which: int, back: int | None) -> None:
        """By the button of this attempt, or of an earlier one."""
        row = self.rows[which % len(self.rows)]
        of_attempt = None if back is None else row.turn.attempt - back
        outcome, stopped = self.do(self.ledger.stop(row.turn.question.key, "ben", of_attempt=of_attempt))
        begun = row.life if row.turn.status is Status.STREAMING else row.turn.attempt
        if row.turn.is_over:
            assert outcome is Outcome.OVER
        elif of_attempt is not None and of_attempt < begun:
            assert outcome is Outcome.ANEW
        elif row.is_stopping:
            assert outcome is Outcome.BEFORE
        else:
            is_queued = row.turn.status is Status.QUEUED
            assert outcome is (Outcome.NOT_BEGUN if is_queued else Outcome.STOPPED)
            assert stopped == (row.turn.id,)
            row.is_stopping, row.turn = True, replace(row.turn, stopped_by="ben")
            self.check_is_stopping(row)
            return
        assert not stopped

    def check_is_stopping(self, row: Row) -> None:
        (memory,) = (one for one in self.memories.values() if row in one.rows)
        assert row.turn.id in self.do(self.ledger.stopping([memory.thread.id]))
        for holder in self.holders:
            if holder.row is row and not holder.is_overtaken and not holder.turn.is_over:
                with pytest.raises(StopWanted):
                    self.do(self.ledger.holds(holder.turn))

    @precondition(lambda self: self.rows)
    @rule(which=NUMBERS)
    def ask_anew(self, which: int) -> None:
        row = self.rows[which % len(self.rows)]
        turn = self.do(self.ledger.reopen(row.turn.question.key))
        if not (row.turn.is_over or row.turn.stopped_by):
            assert turn is None
            turn = self.do(self.ledger.reopen(row.turn.question.key, row.turn.question.text))
        assert turn is not None
        assert (turn.id, turn.status, turn.shown, turn.answer) == (row.turn.id, Status.QUEUED, False, "")
        assert turn.attempt == row.turn.attempt + 1
        assert not turn.stopped_by
        row.turn, row.is_stopping = turn, False
        (memory,) = (one for one in self.memories.values() if row in one.rows)
        memory.conversation, memory.epoch = None, memory.epoch + 1

    @invariant()
    def what_is_open_is_known(self) -> None:
        open_ones = [memory for memory in self.memories.values() if memory.next]
        first = [memory.thread.id for memory in sorted(open_ones, key=_oldest)]
        assert self.do(self.ledger.open_threads([self.chat])) == first

    def teardown(self) -> None:
        """Everything stands in the ledger as it ought to; and whoever comes now ends each turn once, in order."""
        for row in self.rows:
            assert self.do(self.ledger.turn(row.turn.question.key)) == row.turn
        for memory in self.memories.values():
            left = [row.turn.id for row in memory.rows if not row.turn.shown]
            assert self.do(self._ended(memory.thread.id)) == left

    async def _ended(self, thread: ThreadId) -> list[int]:
        ended: list[int] = []
        while taken := await self.ledger.take(thread):
            turn = taken.turn if taken.turn.is_over else taken.turn.start(MODEL).finish("So.")
            await self.ledger.conclude(turn, None, epoch=taken.epoch)
            await self.ledger.settle(turn.settle())
            ended.append(turn.id)
        return ended


def _oldest(memory: Memory) -> int:
    assert memory.next
    return memory.next.turn.id


def test_no_turn_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    numbers = itertools.count()
    with asyncio.Runner() as runner:
        database = open_database(f"sqlite:///{tmp_path / 'bobbin.db'}")
        runner.run(migrate(database))
        ledger = Ledger(database)

        class Machine(LedgerMachine):
            def __init__(self) -> None:
                super().__init__(ledger, runner, numbers)

        try:
            run_state_machine_as_test(
                Machine, settings=settings(max_examples=40, stateful_step_count=25, database=None)
            )
        finally:
            runner.run(database.close())
