from __future__ import annotations

import pytest

from bots.text.inline import spans, words_of
from core.words import after_name, as_markdown, has_sentence, is_blank

UNSEEN = {
    "nothing": "",
    "spaces of every width": " \t\n\u00a0\u2003\u202f\u3000",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "direction": "\u200e\u200f\u202e\u2066\u2069",
    "fillers of Hangul": "\u115f\u1160\u3164\uffa0",
    "Braille without a dot": "\u2800",
    "soft hyphen": "\u00ad",
    "choosers of looks": "\ufe0f\u180b\U000e0100",
    "tags": "\U000e0001\U000e0061",
    "controls": "\0\x07\x1b",
    "half a character": "\ud83d",
}


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_what_nobody_sees_is_blank(text: str) -> None:
    assert is_blank(text)
    assert is_blank(text * 3)
    assert not is_blank(f"{text}?{text}")


# The last is an emoji of 2022, of which Python 3.11 does not know.
@pytest.mark.parametrize("text", ["?", "0", "한", "ا", "👍", "❤️", "…", "_", "\ufffd", "⠁", "\U0001fae8"])
def test_what_people_see_is_not(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is. ",
        "So be it!\n",
        'He said "so." Then',
        "**It is so.** And",
        "这是。",
        "Here they are:\n1. one",
        "你好吗？",
    ],
)
def test_a_sentence_that_is_over_is_one(text: str) -> None:
    assert has_sentence(text)


@pytest.mark.parametrize(
    "text",
    ["", "The", "##", "## Overview\n\nThe", "1. one", "It is.", "example.com/a", "See e.g. this", "3.14", "J. Doe"],
)
def test_what_goes_on_is_no_sentence_yet(text: str) -> None:
    assert not has_sentence(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (", help", "help"),
        (": help", "help"),
        (" - help", "help"),
        (" – why?", "why?"),
        ("  help", "help"),
        (",why?", "why?"),
        (" -1?", "-1?"),
        (" :wave: hi", ":wave: hi"),
        ("，帮助", "帮助"),
        ("、 ヘルプ", "ヘルプ"),
        (" ：为什么？", "为什么？"),
        ("！", ""),
        ("？", "？"),
        ("", ""),
    ],
)
def test_what_is_said_to_somebody_begins_behind_their_name(text: str, said: str) -> None:
    assert after_name(text) == said


@pytest.mark.parametrize("contact", ["#help-bots", "it_help@example.com", "<@U123ABC> *now*", "[b.example](https://a.example)", "\\(x\\)", "$x$ & &amp;", "@here `code`", "https://help.example/bot_x"])  # fmt: skip
def test_markdown_reads_as_the_words_it_was_made_of(contact: str) -> None:
    found = spans(f"Contact: {as_markdown(contact)}. And more.")
    assert words_of(found) == f"Contact: {contact}. And more."
    assert [span.url for span in found if span.url] == ([contact] if contact.startswith("https://") else [])
    assert not any(any(span.look) for span in found)
