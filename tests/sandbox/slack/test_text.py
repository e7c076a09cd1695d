"""What was typed, and what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.slack import Message, SharedFile, shown
from sandbox.slack.text import rich_text, typed


def message(*blocks: dict[str, Any], text: str = "fallback", files: tuple[SharedFile, ...] = ()) -> Message:
    return Message("C0X", "1.000001", "U0X", text, blocks, files=files)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("@Bobbin hi", "<@U0B> hi"),
        ("@bobbin, hi @nobody", "<@U0B>, hi @nobody"),
        ("me@bobbin.example", "me@bobbin.example"),
        ("a<b & c>d", "a&lt;b &amp; c&gt;d"),
        ("see https://x.test/a?b=1&c=2.", "see <https://x.test/a?b=1&amp;c=2>."),
    ],
)
def test_what_people_type_is_marked_up_as_slack_does(words: str, sent: str) -> None:
    assert typed(words, {"bobbin": "U0B"}) == sent


def test_rich_text_says_the_same_unescaped() -> None:
    elements = rich_text("<@U0B> 1 &lt; 2 <https://x.test>")["elements"][0]["elements"]
    assert elements == [
        {"type": "user", "user_id": "U0B"},
        {"type": "text", "text": " 1 < 2 "},
        {"type": "link", "url": "https://x.test"},
    ]


def test_text_alone_is_shown_without_its_markup() -> None:
    assert shown(message(text="<@U0B> &lt;3 <https://x.test|here> <!channel> <#C0X|general>")) == (
        "@U0B <3 here @channel #general"
    )


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ({"type": "markdown", "text": "**bold**"}, "**bold**"),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "a &amp; b"}}, "a & b"),
        ({"type": "header", "text": {"type": "plain_text", "text": "Title"}}, "Title"),
        (
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "one"}, {"type": "plain_text", "text": "two"}]},
            "one two",
        ),
        (
            {
                "type": "context_actions",
                "elements": [
                    {
                        "type": "feedback_buttons",
                        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "+"},
                        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "-"},
                    }
                ],
            },
            "[Good] [Bad]",
        ),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]}, "a | b"),
    ],
)
def test_blocks_are_shown_instead_of_the_fallback(block: dict[str, Any], line: str) -> None:
    assert shown(message(block)) == line


def test_rich_text_is_shown_as_it_reads() -> None:
    said = {
        "type": "rich_text",
        "elements": [
            section(
                {"type": "text", "text": "Hi ", "style": {"bold": True}},
                {"type": "user", "user_id": "U0X"},
                {"type": "text", "text": ", run ", "style": {"italic": True}},
                {"type": "text", "text": "make", "style": {"code": True}},
                {"type": "text", "text": " not "},
                {"type": "text", "text": "cmake", "style": {"strike": True}},
                {"type": "text", "text": " "},
                {"type": "link", "url": "https://e.example", "text": "here"},
                {"type": "emoji", "name": "wave"},
            ),
            {"type": "rich_text_list", "style": "bullet", "elements": [words("one"), words("two\nlines")]},
            {"type": "rich_text_list", "style": "ordered", "indent": 1, "offset": 2, "elements": [words("three")]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said\nso"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a < b"}]},
        ],
    }
    assert shown(message(said)).split("\n") == [
        "Hi @U0X, run `make` not ~cmake~ here:wave:",
        "• one",
        "• two",
        "  lines",
        "    3. three",
        "> said",
        "> so",
        "```",
        "a < b",
        "```",
    ]


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def words(text: str) -> dict[str, Any]:
    return section({"type": "text", "text": text})


def test_what_people_said_is_shown_as_they_said_it() -> None:
    assert shown(message(rich_text("1 &lt; 2"), files=(SharedFile("a.txt", b""),))) == "1 < 2\n[a.txt]"
