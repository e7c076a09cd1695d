from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from core.thread import PlaceId, Thread, ThreadId
from core.transcript import retell
from core.turn import Question, QuestionKey, Status, Turn, TurnId

THREAD = Thread(ThreadId("t"), "chat", (PlaceId("w"),))


def told(*pairs: tuple[str, str]) -> list[Turn]:
    return [
        Turn(TurnId(number), Question(QuestionKey(str(number)), THREAD, "ada", asked), Status.ANSWERED, answered)
        for number, (asked, answered) in enumerate(pairs)
    ]


def test_a_first_question_stays_as_it_is() -> None:
    assert retell([], "Why?", budget=1000, most=100) == "Why?"


def test_earlier_turns_come_oldest_first_and_the_question_last() -> None:
    text = retell(told(("one", "1"), ("two", "2")), "three", budget=1000, most=100)
    assert text.index('"one"') < text.index('"two"') < text.index("three")
    assert text.endswith("three")


def test_the_newest_turns_get_the_room_and_the_rest_is_counted() -> None:
    text = retell(told(("old", "x" * 500), ("older", "y" * 500), ("new", "z")), "?", budget=100, most=100)
    assert '"new"' in text
    assert "xxx" not in text
    assert "left out: 2" in text


def test_what_is_beyond_the_most_is_known_to_be_left_out() -> None:
    pairs = [(f"question {number}", "z") for number in range(4)]
    text = retell(told(*pairs), "?", budget=1000, most=3)
    assert "question 0" not in text
    assert "question 1" in text
    assert "left out: at least 1" in text
    assert "left out" not in retell(told(*pairs[:3]), "?", budget=1000, most=3)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=8), st.integers(0, 400))
def test_what_is_quoted_is_data_within_the_budget(pairs: list[tuple[str, str]], budget: int) -> None:
    """Whatever people wrote, every turn is one JSON line: nobody's old text can end its quotation."""
    text = retell(told(*pairs), "the question", budget=budget, most=100)
    lines = [line for line in text.split("\n") if line.startswith("{")]
    assert sum(map(len, lines)) <= budget
    quoted = [json.loads(line) for line in lines]
    newest = [{"asked": turn.question.words, "you_answered": turn.answer} for turn in told(*pairs)]
    assert quoted[:-1] == newest[len(newest) - len(quoted) : -1]
    if quoted and quoted[-1] != newest[-1]:  # cut to what there was room for
        assert len(quoted) == 1
        assert all(newest[-1][part].startswith(text.removesuffix("…")) for part, text in quoted[-1].items())


def test_the_newest_turn_is_quoted_as_far_as_there_is_room() -> None:
    text = retell(told(("Tell me everything.", "Everything: " + "x" * 5000)), "?", budget=500, most=100)
    assert "Tell me everything." in text
    assert "Everything: xxx" in text
    assert len(text) < 1000
