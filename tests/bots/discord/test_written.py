"""What people wrote in Discord reaches the model as they saw it, and code as it was typed."""

from __future__ import annotations

import pytest

from bots.discord.written import calls, plain


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("<@9> hello", "hello"),
        ("<@!9>, why is the sky blue?", "why is the sky blue?"),
        ("<@9> - help", "help"),
        ("hello <@!9>, ask <@1> and <@2>", "hello, ask @Ann and @2"),
        ("<@&3> in <#4>", "@team in #general"),
        ("</ask it:5> <:wave:6> <a:dance:7>", "/ask it :wave: :dance:"),
        ("at <t:0:R>", "at 1970-01-01 00:00 UTC"),
        ("\u200b<@9>\u2060: help\u200e", "help"),
        ("<@9> what does `<@9> <t:0:R>` do?", "what does `<@9> <t:0:R>` do?"),
        ("<@9>\n```py\n  <@1>  \n```\n<@1>", "```py\n  <@1>  \n```\n@Ann"),
        ("<@9> ``a ` <@1>`` \\`<@1>\\`", "``a ` <@1>`` \\`@Ann\\`"),
        ("<@9> " * 100, ""),
        ("**<@9>** why?", "why?"),
        ("<https://a.example> a < b & c", "<https://a.example> a < b & c"),
    ],
)
def test_what_people_wrote_reads_as_they_saw_it(sent: str, said: str) -> None:
    assert plain(sent, "9", {"1": "Ann", "3": "team", "4": "general"}) == said


@pytest.mark.parametrize(
    ("content", "is_called"),
    [
        ("<@9> hi", True),
        ("hi <@!9>", True),
        ("> <@9> hi", False),
        ("> so\n<@9> why?", True),
        (">>> so\n<@9> why?", False),
        ("`<@9>`", False),
        ("```\n<@9>\n```", False),
        ("\\`<@9>\\`", True),
    ],
)
def test_who_is_named_in_code_or_a_quote_is_not_called(content: str, is_called: bool) -> None:  # noqa: FBT001
    assert calls(content, ["<@9>", "<@!9>"]) is is_called
