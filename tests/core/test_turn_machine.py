"""Whatever happens to a turn, in any order: it ends once, and what was said is not lost."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.thread import PlaceId, Thread, ThreadId
from core.turn import MOVES, Question, QuestionKey, Reply, Status, Turn, TurnId

THREAD = Thread(ThreadId("chat:work/room/1"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))
WORDS = st.text(max_size=20)


class TurnMachine(RuleBasedStateMachine):
    """Asks for any move at any time; those that aren't legal must raise, and change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = Turn(TurnId(1), Question(QuestionKey("1"), THREAD, "ada", "Why?"))
        self.answer = self.problem = self.stopped_by = ""
        self.reply = Reply("")
        self.ends: list[Status] = []

    def may(self, status: Status) -> bool:
        if status in MOVES[self.turn.status]:
            return True
        assert self.ends or status is Status.ANSWERED  # only an end, or a missing start, forbids anything
        return False

    @rule(model=WORDS)
    def start(self, model: str) -> None:
        if self.may(Status.STREAMING):
            self.turn = self.turn.start(model)
            self.answer = ""
        else:
            with pytest.raises(ValueError, match="can't go from"):
                self.turn.start(model)

    @rule(words=WORDS)
    def grow(self, words: str) -> None:
        if self.may(Status.STREAMING):
            self.turn = self.turn.grow(words)
            self.answer = words
        else:
            with pytest.raises(ValueError, match="can't go from"):
                self.turn.grow(words)

    @rule(words=WORDS)
    def finish(self, words: str) -> None:
        if self.may(Status.ANSWERED):
            self.turn = self.turn.finish(words)
            self.answer = words
            self.ends.append(Status.ANSWERED)
        else:
            with pytest.raises(ValueError, match="can't go from"):
                self.turn.finish(words)

    @rule(words=WORDS)
    def fail(self, words: str) -> None:
        if self.may(Status.FAILED):
            self.turn = self.turn.fail(words)
            self.problem = words
            self.ends.append(Status.FAILED)
        else:
            with pytest.raises(ValueError, match="can't go from"):
                self.turn.fail(words)

    @rule(by=WORDS)
    def stop(self, by: str) -> None:
        if self.may(Status.STOPPED):
            self.turn = self.turn.stop(by)
            self.stopped_by = by
            self.ends.append(Status.STOPPED)
        else:
            with pytest.raises(ValueError, match="can't go from"):
                self.turn.stop(by)

    @rule(note=WORDS)
    def reply_to_it(self, note: str) -> None:
        self.turn = self.turn.replied(Reply(note))
        self.reply = Reply(note)

    @rule()
    def settle(self) -> None:
        if self.ends:
            self.turn = self.turn.settle()
        else:
            with pytest.raises(ValueError, match="no end"):
                self.turn.settle()

    @invariant()
    def it_ends_at_most_once(self) -> None:
        assert len(self.ends) <= 1
        assert self.turn.is_over == bool(self.ends)
        if self.ends:
            assert self.turn.status is self.ends[0]

    @invariant()
    def what_was_said_last_is_kept(self) -> None:
        assert (self.turn.answer, self.turn.problem, self.turn.reply) == (self.answer, self.problem, self.reply)

    @invariant()
    def who_stopped_it_is_known_of_what_was_stopped(self) -> None:
        assert self.turn.stopped_by == self.stopped_by
        assert not self.stopped_by or self.turn.status is Status.STOPPED

    @invariant()
    def only_an_end_can_have_been_shown(self) -> None:
        assert self.turn.is_over or not self.turn.shown


TestTurn = TurnMachine.TestCase
TestTurn.settings = settings(max_examples=100, stateful_step_count=20, database=None)
