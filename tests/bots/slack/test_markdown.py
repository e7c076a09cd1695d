"""What Slack is shown, and what people wrote there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack import limits
from bots.slack.buttons import context
from bots.slack.markdown import joined, pages, words
from bots.text.document import document
from bots.text.inline import spans
from bots.text.reasoning import visible
from sandbox.slack.blocks import Surface, block_problems

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"
FRAGMENTS = (
    "word ", "\n", "\n\n", "- item\n", "  - nested\n", "> quoted\n", "> - in it\n", "```py\n", "```\n", "`", "``", "`code` ", TABLE + "\n", "| x | y |\n",
    "|---|---|\n", "## Title\n", "---\n", "***\n", "<!channel>", "<!here|x>", "<@U123ABC>", "<#C1|x>", "<!date^1^{date}|x>", "@here", "@everyone ",
    "<!subteam^S1>", "<\\!channel>", "&lt;!channel&gt;", "&#64;here", "<https://a.example|https://b.example>", "[b.example](https://a.example)",
    "[x](javascript:x)", "](", "<", "@", "&", "x" * 2000, "漢字" * 500, "👩‍👩‍👧‍👦" * 50, "line of words " * 100, "|", "<think>", "3. three\n", "[ ] ",
    "https://a.example/x", "**", "_", "<b>", "</b>", "|  |  |\n|--|--|\n|  | `x` |\n", "    four\n",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=50).map("".join)


def shown(answer: str) -> list[Any]:
    return [block for page in pages(answer) for block in json.loads(page)]


def elements(node: object) -> Iterator[dict[str, Any]]:
    """All that stands in a line: what has no other elements in it."""
    if isinstance(node, list):
        for each in node:
            yield from elements(each)
    elif isinstance(node, dict):
        if inner := node.get("elements") or node.get("rows"):
            yield from elements(inner)
        elif node["type"] != "divider":
            yield node


@settings(max_examples=200)
@given(ANSWERS, st.booleans())
def test_every_page_is_taken_and_pings_nobody(answer: str, streaming: bool) -> None:  # noqa: FBT001
    for page in pages(answer, streaming=streaming):
        blocks = json.loads(page)
        assert {element["type"] for element in elements(blocks)} <= {"text", "link", "raw_text"}
        assert any(block["type"] == "rich_text" for block in blocks)
        below = [*joined(pages("It broke. " * 30)[0]), context("& " * 2_000), {"type": "divider"}]
        assert not block_problems([*blocks, *below], Surface.MESSAGE)


@settings(max_examples=200)
@given(ANSWERS, st.data())
def test_pages_before_the_last_stay_when_text_is_added(answer: str, data: st.DataObject) -> None:
    settled = pages(answer[: data.draw(st.integers(0, len(answer)))], streaming=True)[:-1]
    assert pages(answer, streaming=True)[: len(settled)] == settled
    assert pages(answer)[: len(settled)] == settled


@settings(max_examples=300)
@given(ANSWERS)
def test_a_link_leads_where_it_was_meant_to(answer: str) -> None:
    leaves = list(document(visible(answer)))  # without the tags of a reasoning that never ended
    meant = {span.url for leaf in leaves for text in (leaf.content, *sum(leaf.rows, ())) for span in spans(text)}
    for element in elements(shown(answer)):
        assert element["type"] != "link" or element["url"] in meant
        assert "b.example" not in element.get("text", "") or "url" not in element


@settings(max_examples=300)
@given(st.text(alphabet="`<>!@#&|*_[]()\\ab \n\u200b\u3000", max_size=60))
def test_code_is_what_the_model_wrote(code: str) -> None:
    (block,) = shown(f"~~~\n{code}\n~~~") if code.strip() else [{"elements": [{"elements": [{"text": code}]}]}]
    assert block["elements"][0]["elements"][0]["text"] == code


def section(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [*inside]}


def text(said: str, *looks: str) -> dict[str, Any]:
    return {"type": "text", "text": said} | ({"style": dict.fromkeys(looks, True)} if looks else {})


def link(url: str, said: str = "") -> dict[str, Any]:
    return {"type": "link", "url": url} | ({"text": said} if said else {})


def listed(style: str, *items: dict[str, Any], **more: int) -> dict[str, Any]:
    return {
        "type": "rich_text_list",
        "style": style,
        "indent": 0,
        **more,
        "elements": [section(item) for item in items],
    }


def preformatted(code: str, **more: str) -> dict[str, Any]:
    return {"type": "rich_text_preformatted", "elements": [text(code)], **more}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("**b** _i_ ~~s~~ `c < d`", [section(text("b", "bold"), text(" "), text("i", "italic"), text(" "), text("s", "strike"), text(" "), text("c < d", "code"))]),
        ("## Title\n\nwords", [section(text("Title", "bold"), text("\n\n"), text("words"))]),
        ("[a](https://a.example) https://b.example.", [section(link("https://a.example", "a"), text(" "), link("https://b.example"), text("."))]),
        ("- one\n  - two\n- three", [listed("bullet", text("one")), listed("bullet", text("two"), indent=1), listed("bullet", text("three"))]),
        ("4. four\n5. five", [listed("ordered", text("four"), text("five"), offset=3)]),
        ("0. zero\n1. one", [section(text("0. zero")), listed("ordered", text("one"))]),
        ("- a\n\n  0. zero\n  1. one", [listed("bullet", text("a")), section(text("\n"), text("  0. zero")), listed("ordered", text("one"), indent=1)]),
        ("> 0. zero", [{"type": "rich_text_quote", "elements": [text("0. zero")]}]),
        ("- [x] done", [listed("bullet", text("☑ done"))]),
        ("> quote\n> > twice", [{"type": "rich_text_quote", "elements": [text("quote"), text("\n"), text("twice")]}]),
        ("```py\nx = `<!channel>`\n```", [preformatted("x = `<!channel>`", language="py")]),
        ("<!channel> @here <@U1>", [section(text("<!channel> @here <@U1>"))]),
        ("&lt;!here&gt; <\\!here>", [section(text("<!here> <!here>"))]),
        ("[shop.example](https://a.example)", [section(text("shop.example ("), link("https://a.example"), text(")"))]),
        ("<https://a.example|shop.example>", [section(text("shop.example ("), link("https://a.example"), text(")"))]),
        ("<https://a.example|the shop>", [section(link("https://a.example", "the shop"))]),
        ("![a cat](https://a.example/cat.png) ![](https://b.example)", [section(link("https://a.example/cat.png", "a cat"), text(" "), link("https://b.example"))]),
        ("[run](slack://open) <slack://open>", [section(text("run (slack://open) <slack://open>"))]),
        ("请**注意：**这里**「重要」**です", [section(text("请"), text("注意：", "bold"), text("这里"), text("「重要」", "bold"), text("です"))]),
        ("**https://a.example/@here**", [section(link("https://a.example/@here") | {"style": {"bold": True}})]),
    ],
)  # fmt: skip
def test_each_form_becomes_slacks_own(answer: str, expected: list[Any]) -> None:
    assert shown(answer) == [{"type": "rich_text", "elements": expected}]


def test_a_rule_is_a_divider() -> None:
    assert [block["type"] for block in shown("a\n\n---\n\nb")] == ["rich_text", "divider", "rich_text"]


def test_the_first_table_is_slacks_and_the_next_ones_are_code() -> None:
    table, below = shown(f"{TABLE}\n\n{TABLE}")
    assert table["type"] == "table"
    assert [[cell["text"] for cell in row] for row in table["rows"]] == [["a", "b"], ["1", "2"]]
    assert below["elements"] == [preformatted("a | b\n--+--\n1 | 2")]


def test_a_cell_has_its_look_and_is_never_empty() -> None:
    table = shown("| a | b |\n|---|---|\n| **1** | |")[1]
    assert table["rows"][1] == [
        {"type": "rich_text", "elements": [section(text("1", "bold"))]},
        {"type": "raw_text", "text": " "},
    ]


def test_a_table_too_long_for_slack_goes_on_in_the_next_message() -> None:
    found = [json.loads(page) for page in pages("|a|\n|-|\n" + "|1|\n" * 150)]
    assert [len(blocks[1]["rows"]) for blocks in found] == [limits.TABLE_ROWS, 52]
    assert all(blocks[1]["rows"][0][0]["text"] == "a" for blocks in found)


def test_words_are_for_those_who_do_not_see_blocks() -> None:
    assert words(shown(f"a < b\n\n- one\n- [two](https://a.example)\n\n{TABLE}")) == "a < b\none\ntwo\na | b\n1 | 2"


def test_what_is_open_is_closed_while_it_streams() -> None:
    (page,) = pages("see `cod", streaming=True)
    assert json.loads(page)[0]["elements"] == [section(text("see "), text("cod", "code"))]


def test_nothing_to_show_is_no_page() -> None:
    assert pages("<think>let me see", streaming=True) == []
    assert pages("") == []


def test_a_long_answer_has_few_pages() -> None:
    answer = "\n\n".join(f"Paragraph {number}: " + "words and words " * 20 for number in range(120))
    assert len(answer) > 40_000
    assert len(pages(answer)) <= 6
