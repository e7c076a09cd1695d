"""The question above an answer: whatever it says, and whatever its asker is called, it is words."""

from __future__ import annotations

import json

import pytest

from bots.discord import markdown as discord
from bots.reply.opening import NAME_LIMIT, QUOTE_LIMIT, asked
from bots.slack import markdown as slack
from core.thread import Thread, ThreadId
from core.turn import Question, QuestionKey

THREAD = Thread(ThreadId("t"), "chat", ())
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
WORDS = [
    SIGNS,
    "# no heading **nor bold** <b>nor this</b> &lt; &amp;",
    "@everyone <@U1> <!channel> [here](https://evil.example) https://evil.example",
    "<think>no reasoning</think> ``` not code ~~ 1. no list",
    "- [ ] no task | no | table |",
]


def question(text: str, name: str = "Ada") -> Question:
    return Question(QuestionKey("k"), THREAD, "ada", text, asker_name=name)


@pytest.mark.parametrize("words", WORDS)
def test_in_slack_it_reads_as_it_was_written(words: str) -> None:
    (page,) = slack.pages(asked(question(words, words)))
    blocks = json.loads(page)
    assert slack.words(blocks) == f"{words} asked:\n{words}"
    assert {kind for kind in ("link", "user", "broadcast", "emoji") if f'"{kind}"' in page} == set()


@pytest.mark.parametrize("words", WORDS)
def test_in_discord_it_is_one_line_of_a_quote(words: str) -> None:
    (page,) = discord.pages(asked(question(words, words)))
    name, line = page.split("\n")
    assert name.endswith(" asked:")
    assert line.startswith("> ")
    assert line.replace("\\", "") == "> " + words.replace("\\", "")


def test_it_takes_little_room() -> None:
    name, line = asked(question("why?\n" * 1_000, "x\n" * 1_000)).split("\n")
    assert len(name) < NAME_LIMIT * 2
    assert len(line) < QUOTE_LIMIT * 2


@pytest.mark.parametrize("name", ["", " ", "\u202e", "\u200b\n"])
def test_who_has_no_name_that_can_be_seen_is_somebody(name: str) -> None:
    assert asked(question("Why", name)).startswith("**Somebody** asked:")


def test_a_name_cant_turn_what_follows_around() -> None:
    assert asked(question("Why", "Ada\u202e\u2067\nasks")).startswith("**Ada asks** asked:")
