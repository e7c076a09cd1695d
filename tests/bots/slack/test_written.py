"""What people wrote in Slack reaches the model as they saw it, and code as it was typed."""

from __future__ import annotations

from typing import Any

import pytest

from bots.slack.written import is_called, plain, written

BOT = "U0BOT"
ME = {"type": "user", "user_id": BOT}
Node = dict[str, Any]


def text(words: str, **style: bool) -> Node:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def section(*elements: Node, kind: str = "section", **more: object) -> Node:
    return {"type": f"rich_text_{kind}", "elements": list(elements), **more}


def message(*groups: Node, said: str = "") -> Node:
    return {"text": said, "blocks": [{"type": "rich_text", "block_id": "b", "elements": list(groups)}]}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([section(ME, text(", help"))], "help"),
        ([section(text("\u200b "), ME, text("\u2068: help\u2069\u00a0"))], "help"),
        ([section(ME, text(" "), text("preset show", code=True))], "`preset show`"),
        (
            [section(ME, text(" what does "), text("<@U0BOT> && x", code=True), text(" do?"))],
            "what does `<@U0BOT> && x` do?",
        ),
        ([section(ME, text(" say "), text("a `b` c", code=True))], "say ``a `b` c``"),
        (
            [
                section(ME, text(" why?\n")),
                section(text("  if a &amp; b:\n\tx\n\n"), kind="preformatted", language="python"),
            ],
            "why?\n```python\n  if a &amp; b:\n\tx\n\n```",
        ),
        (
            [section(ME, text(" fix")), section(text("```\nx\n```"), kind="preformatted")],
            "fix\n````\n```\nx\n```\n````",
        ),
        ([section(text("so"), kind="quote"), section(ME, text(" is it?"))], "> so\nis it?"),
        ([section(text("a\n"), ME, kind="quote"), section(ME, text(" why?"))], "> a\n> @U0BOT\nwhy?"),
        (
            [
                section(ME, text(" which?\n")),
                section(section(text("tea")), section(text("milk\nor not")), kind="list", style="ordered", offset=1),
                section(section(text("hot")), kind="list", style="bullet", indent=1),
            ],
            "which?\n2. tea\n3. milk\n   or not\n   - hot",
        ),
        (
            [section(text("very "), text("good ", bold=True, italic=True), text("no", strike=True))],
            "very ***good*** ~~no~~",
        ),
        ([section(text("say ", bold=True), ME | {"style": {"bold": True}}, text(" why", bold=True))], "**say why**"),
        ([section(ME | {"style": {"bold": True}}, text(" why?"))], "why?"),
        (
            [
                section(
                    {"type": "user", "user_id": "U1"},
                    text(" "),
                    {"type": "usergroup", "usergroup_id": "S1"},
                    text(" "),
                    {"type": "channel", "channel_id": "C1"},
                    text(" "),
                    {"type": "broadcast", "range": "here"},
                    {"type": "emoji", "name": "wave", "unicode": "1f44b"},
                )
            ],
            "@Ann @S1 #C1 @here:wave:",
        ),
        (
            [
                section(
                    {"type": "link", "url": "https://a.example/?a=1&b=2"},
                    text(" "),
                    {"type": "link", "url": "https://a.example", "text": "a.example"},
                    text(" "),
                    {"type": "link", "url": "https://a.example", "text": "here"},
                    text(" "),
                    {"type": "link", "url": "mailto:a@b.example", "text": "a@b.example"},
                    text(" "),
                    {"type": "link", "url": "http://x.y", "text": "x.y", "style": {"code": True}},
                )
            ],
            "https://a.example/?a=1&b=2 https://a.example here (https://a.example) a@b.example `x.y`",
        ),
        (
            [
                section(
                    {"type": "date", "timestamp": 0, "format": "{date}"},
                    text(" "),
                    {"type": "date", "timestamp": 0, "format": "{date}", "fallback": "today"},
                )
            ],
            "1970-01-01 00:00 UTC today",
        ),
        ([section(ME, text("&lt;b&gt; \0"))], "&lt;b&gt; \ufffd"),
    ],
)
def test_rich_text_is_told_as_markdown(groups: list[Node], said: str) -> None:
    assert written(message(*groups), BOT, {"U1": "Ann"}) == said


def test_text_beside_rich_text_tells_names() -> None:
    named = message(
        section({"type": "usergroup", "usergroup_id": "S1"}, {"type": "channel", "channel_id": "C1"}),
        said="<!subteam^S1|@team><#C1|general>",
    )
    assert written(named, BOT, {}) == "@team#general"


@pytest.mark.parametrize(
    ("groups", "calls"),
    [
        ([section(ME)], True),
        ([section(section(text("a"), ME), kind="list", style="bullet")], True),
        ([section(text(f"<@{BOT}>", code=True))], False),
        ([section(text(f"<@{BOT}> hi"), kind="preformatted")], False),
        ([section(ME, text(" said so"), kind="quote")], False),
        ([section(text("a" * 10))], False),
    ],
)
def test_who_is_named_in_code_or_a_quote_is_not_called(groups: list[Node], calls: bool) -> None:  # noqa: FBT001
    assert is_called(message(*groups, said=f"<@{BOT}>"), BOT) is calls


@pytest.mark.parametrize(
    ("said", "calls"),
    [
        (f"<@{BOT}> hi", True),
        (f"&gt; <@{BOT}> hi", False),
        (f"&gt; so\n<@{BOT}> hi", True),
        (f"`<@{BOT}>`", False),
        (f"```\n<@{BOT}>\n```", False),
    ],
)
def test_so_it_is_without_blocks(said: str, calls: bool) -> None:  # noqa: FBT001
    assert is_called({"text": said}, BOT) is calls


@pytest.mark.parametrize(
    "blocks",
    [
        None,
        "x",
        [None, 7],
        [{"type": "rich_text"}],
        [{"type": "rich_text", "elements": [None, {"type": "rich_text_list", "elements": "x", "indent": "9"}]}],
        [{"type": "rich_text", "elements": [{"elements": [{"type": "date", "timestamp": 10**30}, {"style": 3}]}]}],
        [{"type": "section", "text": {"text": "x"}}],
    ],
)
def test_blocks_of_any_shape_are_survived(blocks: object) -> None:
    said = {"text": "words", "blocks": blocks}
    assert isinstance(written(said, BOT, {}), str)
    assert not is_called(said, BOT)


def test_a_hundred_mentions_and_forty_thousand_characters_are_no_trouble() -> None:
    many = message(section(*[ME, text(" ")] * 100, text("why?")))
    assert written(many, BOT, {}) == "why?"
    assert written(message(section(*[ME] * 3)), BOT, {}) == ""
    assert len(written(message(section(text("`" * 20_000), text("x" * 20_000, code=True))), BOT, {})) == 40_002


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("<@UBOT> hello", "hello"),
        ("hello <@UBOT>, is <@U1> here?", "hello, is @Ann here?"),
        ("<@U2> <@U3|carl>", "@U2 @carl"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://a.example/x|label>", "label (https://a.example/x)"),
        ("<https://a.example> <http://a.example|a.example>", "https://a.example http://a.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("call <tel:110|110>", "call 110"),
        ("<@UBOT>, why is it so?", "why is it so?"),
        ("<@UBOT|bobbin>: -1 or <@UBOT>", "-1 or"),
        ("<@UBOT> -1?", "-1?"),
        ("<#C1|general> <#C2|> <#C3>", "#general #C2 #C3"),
        ("<!here> <!channel|channel> <!subteam^S1|@team> <!subteam^S2>", "@here channel @team @S2"),
        ("<!date^1^{date}|today>", "today"),
        ("\u2060<@UBOT>\u200b: help\u200f", "help"),
        ("*<@UBOT>* why?", "why?"),
        ("see `<#C1|general> <https://a.example>`", "see `<#C1|general> https://a.example`"),
        ("if a &lt; b:\n  pass", "if a < b:\n  pass"),
    ],
)
def test_without_blocks_the_text_reads_as_people_saw_it(sent: str, said: str) -> None:
    assert plain(sent, "UBOT", {"U1": "Ann"}) == said
