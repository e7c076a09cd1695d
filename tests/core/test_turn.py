from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from core.thread import PlaceId, Thread, ThreadId
from core.turn import MOVES, Question, QuestionKey, Status, Turn, TurnId

THREAD = Thread(ThreadId("chat:work/room/1"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))
TURN = Turn(TurnId(1), Question(QuestionKey("1"), THREAD, "ada", "Why?"))


def test_the_way_from_question_to_shown_answer() -> None:
    turn = TURN.start("gpt-5.1").grow("Be").grow("Because").finish("Because.").settle()
    assert (turn.status, turn.answer, turn.model, turn.shown) == (Status.ANSWERED, "Because.", "gpt-5.1", True)


def test_a_crash_streams_anew() -> None:
    assert TURN.start("m").grow("half an ans").start("m").answer == ""


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_only_the_legal_moves_are_made(before: Status, after: Status) -> None:
    turn = replace(TURN, status=before)
    moves = {
        Status.STREAMING: lambda: turn.grow("…"),
        Status.ANSWERED: lambda: turn.finish("…"),
        Status.FAILED: lambda: turn.fail("…"),
        Status.STOPPED: lambda: turn.stop("ada"),
    }
    if after in MOVES[before]:
        assert moves[after]().status is after
    elif after in moves:
        with pytest.raises(ValueError, match="can't go from"):
            moves[after]()


def test_what_has_no_end_cannot_have_been_shown_to_its_end() -> None:
    with pytest.raises(ValueError, match="no end"):
        TURN.start("m").settle()


def test_layers_name_a_channel_that_is_its_own_thread_once() -> None:
    room = Thread(ThreadId("chat:work/room"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))
    assert room.layers == ("chat:work", "chat:work/room")
    assert THREAD.layers == ("chat:work", "chat:work/room", "chat:work/room/1")
