"""What Discord is shown, and what people wrote there."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.discord.limits import CONTENT
from bots.discord.markdown import pages, plain
from bots.text.inline import BREAK

FAMILY = "👩‍👩‍👧‍👦"
FRAGMENTS = (
    "word ", "\n", "\n\n", "- item\n", "  - nested\n", "> quoted\n", ">>> all\n", "```py\n", "```\n", "````\n", "~~~\n", "`", "``", "`code` ",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "| x | y | " + "z" * 50 + " |\n", "|---|---|---|\n", "|---|---|\n", "## Title\n", "##### Deep\n", "---\n",
    "<@1>", "<@!1>", "<@&1>", "<#1>", "</ask:1>", "<t:1:R>", "<id:guide>", "<a:x:1>", "<:x:1>", "@everyone", "@here ", "||spoiler||",
    "[b.example](https://a.example)", "](", "<", "@", "x" * 500, "漢字" * 100, FAMILY * 20, "line of words " * 30, "|", "===\n",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=60).map("".join)
ALIVE = re.compile(r"<(@[!&]?\d|#\d|/ask:\d|t:\d|id:|a?:x:\d)|@everyone|@here")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def shown(answer: str) -> str:
    return "\n".join(pages(answer))


@settings(max_examples=150)
@given(ANSWERS, st.booleans())
def test_every_page_fits_and_pings_nobody(answer: str, streaming: bool) -> None:  # noqa: FBT001
    for page in pages(answer, streaming=streaming):
        assert units(page) <= CONTENT
        assert not ALIVE.search(page)


@settings(max_examples=150)
@given(ANSWERS, st.data())
def test_pages_before_the_last_stay_when_text_is_added(answer: str, data: st.DataObject) -> None:
    settled = pages(answer[: data.draw(st.integers(0, len(answer)))], streaming=True)[:-1]
    assert pages(answer, streaming=True)[: len(settled)] == settled
    assert pages(answer)[: len(settled)] == settled


@settings(max_examples=150)
@given(ANSWERS)
def test_code_never_runs_on(answer: str) -> None:
    """Discord pairs every three backticks with the next, so each page must have an even number of them."""
    for page in pages(answer):
        assert len(re.findall("```", page.replace("\\`", ""))) % 2 == 0


def test_plain_markdown_is_left_alone() -> None:
    answer = "# Title\n\n**bold** *it* ~~no~~ `x < y` ||spoiler|| [a](https://a.example)\n\n- one\n  - two\n\n> quote\n\n```py\na[1](2)\n```\nend"
    assert shown(answer) == answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("#### Deep **er**", "**Deep er**"),
        ("Title\n===", "# Title"),
        ("a\n\n***\n\nb", "a\n\n────────────\n\nb"),
        ("![a cat](https://a.example/cat.png)", "[a cat](https://a.example/cat.png)"),
        ("> > twice", "> twice"),
        (">>> all\n\nmine", "> all\n\nmine"),
        ("~~~py\nx\n~~~", "```py\nx\n```"),
        ("````md\n```py\nx\n```\n````", f"```md\n`{BREAK}``py\nx\n`{BREAK}``\n```"),
        ("> ```\n> x\n> ```", "> ```\n> x\n> ```"),
        ("```\na ````` b\n```", f"```\na `{BREAK}`{BREAK}`{BREAK}`` b\n```"),
        ("a ``` b", "a \\`\\`\\` b"),
        ("| a | 漢 |\n|---|---|\n| **1** | 2 |", "```\na | 漢\n--+---\n1 | 2\n```"),
        (f"| a | b |\n|---|---|\n| 1 | {'x' * 70} |", f"**a**: 1\n**b**: {'x' * 70}"),
        ("@everyone", f"@{BREAK}everyone"),
        ("`@here`", f"`@{BREAK}here`"),
        ("<@&1> </ask it:1>", f"<{BREAK}@&1> <{BREAK}/ask it:1>"),
        ("[shop.example](https://a.example)", "shop.example (https://a.example)"),
        ("a\r\nb\u2028c", "a\nb\u2028c"),
    ],
)
def test_each_form_becomes_discords_best(answer: str, expected: str) -> None:
    assert shown(answer) == expected


def test_what_is_open_is_closed_while_it_streams() -> None:
    assert pages("see:\n```py\nx", streaming=True) == ["see:\n```py\nx\n```"]
    assert pages("see `cod", streaming=True) == ["see `cod`"]
    assert pages("see:\n```py\n", streaming=True) == ["see:\n"]


def test_a_long_line_is_cut_between_signs() -> None:
    found = pages(FAMILY * 1000)
    assert all(not page.replace(FAMILY, "") for page in found)
    assert all(units(page) > CONTENT * 0.9 for page in found[:-1])


def test_a_long_answer_fills_its_pages() -> None:
    answer = "\n\n".join(f"Paragraph {number}: " + "words and words " * 20 for number in range(120))
    assert len(answer) > 40_000
    assert len(pages(answer)) <= 30


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("<@9> hello", "hello"),
        ("hello <@!9>, ask <@1> and <@2>", "hello, ask @Ann and @2"),
        ("<@&3> in <#4>", "@team in #general"),
        ("</ask it:5> <:wave:6> <a:dance:7>", "/ask it :wave: :dance:"),
        ("at <t:0:R>", "at 1970-01-01 00:00 UTC"),
        ("<https://a.example> a < b & c", "<https://a.example> a < b & c"),
    ],
)
def test_what_people_wrote_reads_as_they_saw_it(sent: str, said: str) -> None:
    assert plain(sent, "9", {"1": "Ann", "3": "team", "4": "general"}) == said
