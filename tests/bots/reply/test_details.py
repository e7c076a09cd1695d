"""What people are told about an answer, and what a file of a thread holds: bounded, and without what was not for them."""

from __future__ import annotations

import pytest

from bots.reply.details import LONGEST_REASONING, Details, details
from bots.reply.export import exported
from bots.reply.page import Wish
from bots.text.reasoning import reasoning
from core.preset import Preset, choose
from core.thread import PlaceId, Thread, ThreadId
from core.turn import GOES_ON, Question, QuestionKey, Status, Turn, TurnId

ROOM = PlaceId("chat:room")
THREAD = Thread(ThreadId("t"), "chat", (PlaceId("chat"), ROOM))
NAMED = {"default": Preset(model="m"), "terse": Preset(instructions="Be short.")}


def turn(answer: str = "Because.", *, key: str = "k", preset: str = "", answered_as: str = "terse") -> Turn:
    question = Question(QuestionKey(key), THREAD, "ada", "Why?\n# Not so", asker_name="Ada", preset=preset)
    return Turn(TurnId(1), question, Status.ANSWERED, answer, model="m", answered_as=answered_as, reference="0a1b")


def told(of: Turn, *layers: tuple[str, Preset]) -> dict[str, str]:
    return dict(details(of, choose(NAMED, layers), branches=True).facts)


@pytest.mark.parametrize(
    ("preset", "layers", "said"),
    [
        ("terse", (), "terse (chosen for this question)"),
        ("", ((ROOM, Preset(name="terse")),), "terse (set in this channel)"),
        ("", (("chat", Preset(name="terse")),), "terse (set for the whole workspace)"),
        ("", (), "terse (as it was set then)"),
    ],
)
def test_the_preset_is_told_with_where_it_is_set(
    preset: str, layers: tuple[tuple[str, Preset], ...], said: str
) -> None:
    assert told(turn(preset=preset), *layers)["Preset"] == said


def test_the_default_needs_no_more_words() -> None:
    assert told(turn(answered_as="default"))["Preset"] == "default"
    assert "Preset" not in told(turn(answered_as="")), "an earlier version kept none"


def test_the_length_is_what_people_read_and_the_tokens_what_the_model_wrote() -> None:
    assert told(turn("a" * 4_000))["Length"] == "4,000 characters, about 1,000 tokens (an estimate)"
    assert told(turn("字" * 30))["Length"] == "30 characters, about 30 tokens (an estimate)"
    assert told(turn("<think>" + "a" * 4_000 + "</think>b"))["Length"].startswith("1 characters, about 1,00")


def test_what_the_model_thought_is_told_as_far_as_there_is_room() -> None:
    found: Details = details(turn(f"<think>{'hm ' * 9_000}</think>So."), choose(NAMED, ()), branches=False)
    assert 0 < len(found.reasoning) <= LONGEST_REASONING
    assert [button.wish for button in found.buttons] == [Wish.EXPORT]


@pytest.mark.parametrize(
    ("answer", "thought"),
    [
        ("<think>One.</think>So.<thinking>Two.</thinking>", "One.\n\nTwo."),
        ("Eaten.</think>So.", "Eaten."),
        ("Nothing of the kind, 1 < 2.", ""),
        ("`<think>` is a tag.", ""),
        ("<think>It never ends.", ""),
    ],
)
def test_what_is_marked_as_reasoning_is_found(answer: str, thought: str) -> None:
    assert reasoning(answer) == thought


def test_a_file_holds_questions_as_quotes_and_answers_without_reasoning() -> None:
    more = turn("And so on.", key=f"k{GOES_ON}1_1")
    text = exported([turn("<think>Hm.</think>Because."), more], is_all=True)
    assert text == (
        "# A conversation with Bobbin\n\n## Ada\n\n> Why?\n> # Not so\n\nBecause.\n\n*The answer went on:*\n\nAnd so on.\n"
    )


def test_a_file_keeps_what_is_newest() -> None:
    text = exported([turn("old " * 30), turn("new")], is_all=True, longest=100)
    assert "left out" in text
    assert "old" not in text
    assert "new" in text
