"""Titles say what a conversation is about, in one harmless line."""

from __future__ import annotations

import time

import pytest

from core.title import LONGEST, title_of

LONG = "How can I convince the compiler that this loop over a very large array of structs has no side effects"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What is a bobbin?", "What is a bobbin?"),
        ("Explain the bobbin. And then the shuttle.", "Explain the bobbin"),
        ("why does version 3.5 of e.g. numpy fail? I tried it.", "why does version 3.5 of e.g. numpy fail?"),
        ("Hi! How do I wind a bobbin? Thanks.", "Hi! How do I wind a bobbin?"),
        ("Hello,\n\nhow do I wind a bobbin?", "Hello, how do I wind a bobbin?"),
        ("# **Plan** for `main.py`\nmore", "Plan for main.py"),
        ("> quoted\nand said", "quoted and said"),
        ("1. first thing to do\n2. second", "first thing to do"),
        ("look at https://www.example.com/a/b?c=d please", "look at example.com please"),
        ("read [the page](https://example.com/x) for me", "read the page for me"),
        ("```python\nprint(1)\n```\nWhat does this print?", "What does this print?"),
        ("```\nnever closed", ""),
        ("@everyone look at this", "everyone look at this"),
        ("<!channel> and <@U123> there", "channel and U123 there"),
        ("これは何ですか？教えてください。", "これは何ですか？"),
        ("我想知道怎么绕线。谢谢", "我想知道怎么绕线"),
        ("Wie geht das z. B. mit „Garn“?", "Wie geht das z. B. mit „Garn“?"),
        ("Postgres vs. MySQL, which is faster?", "Postgres vs. MySQL, which is faster?"),
        ("So is it really the Dr? I hope so.", "So is it really the Dr?"),
        ("Should I ask Dr. Miller? Or wait?", "Should I ask Dr. Miller?"),
        ("why is C:\\Users\\ada\\x.txt not found", "why is C:\\Users\\ada\\x.txt not found"),
        ("is 3 * 2 < 7 in `ls | wc`", "is 3 * 2 < 7 in ls | wc"),
        ("\\*no\\* emphasis at all", "no emphasis at all"),
        ("zero\u200bwidth \u202eturned", "zerowidth turned"),
        ("ok", "ok"),
        ("why", "why"),
        ("🙂", ""),
        ("…", ""),
        ("", ""),
        ("\x00\n\t", ""),
        (LONG, "How can I convince the compiler that this loop over a very…"),
        ("x" * 200, "x" * 59 + "…"),
        ("e\u0301" * 100, "e\u0301" * 29 + "…"),
    ],
)
def test_a_title_is_the_first_sentence_in_one_clean_line(text: str, title: str) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "[" * 100_000, "`" * 100_000, ". " * 100_000, "```\n" * 50_000, "!?" * 99_999]
)
def test_a_title_of_anything_is_short_and_soon_made(text: str) -> None:
    began = time.monotonic()
    title = title_of(text)
    assert len(title) <= LONGEST
    assert "\n" not in title
    assert time.monotonic() - began < 0.5
