"""Blocks, pages, tables and thoughts: what holds for every platform."""

import time
from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.text.blocks import Kind, blocks, rendered
from bots.text.budget import Budget, at_most
from bots.text.cut import shortened, utf8
from bots.text.inline import BREAK, Guard
from bots.text.pages import Part, split
from bots.text.reasoning import visible
from bots.text.tables import aligned, records, width
from sandbox.slack.weight import rendered_blocks
from tests.answers import SIGNS

BUDGET = Budget(limit=300, gains="<@]:`>", gain=1, table=30)
FAMILY = "👩‍👩‍👧‍👦"

FRAGMENTS = (
    "word ", "some more words go here ", "\n", "\n\n", "- item\n", "  - nested item\n", "    - deeper\n", "1. first\n",
    "> quoted\n", "> > twice\n", "```py\n", "```\n", "````md\n", "````\n", "~~~\n", "> ```\n", "  ```\n", "`code` ", "`", "``",
    "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "a|b\n-|-\n1|2\n", "# Title\n", "#### Deep\n", "---\n", "===\n", "    indented\n",
    "x" * 90, "x" * 400, "[a](https://a.example/x) ", "](", "<", "@", "\\", "\u2028", FAMILY, "漢字", "مرحبا ", "e\u0301", "🇩🇪",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=60).map("".join)


def texts(parts: list[Part]) -> list[str]:
    return [part.text for part in parts]


@settings(max_examples=150)
@given(ANSWERS)
def test_every_page_fits_and_no_word_is_lost(answer: str) -> None:
    parts = split(answer, BUDGET)
    assert "".join("".join(part.body for part in parts).split()) == "".join(answer.split())
    assert all(BUDGET.weigh(text) <= BUDGET.limit for text in texts(parts))


@example("```code` " + "x" * 270)
@settings(max_examples=150)
@given(ANSWERS)
def test_no_page_becomes_more_blocks_than_a_message_takes(answer: str) -> None:
    few = replace(BUDGET, block=20, most_blocks=5)
    parts = split(answer, few)
    assert "".join("".join(part.body for part in parts).split()) == "".join(answer.split())
    for text in texts(parts):
        assert sum(rendered(text.split("\n"))) <= 5
        assert rendered_blocks(text) <= 5
        assert BUDGET.weigh(text) + 20 * sum(rendered(text.split("\n"))) <= BUDGET.limit


@settings(max_examples=150)
@given(ANSWERS, st.data())
def test_blocks_that_begin_are_known_at_once(answer: str, data: st.DataObject) -> None:
    """What comes later changes nothing, and there are never more than the quick guess has."""
    lines = answer.split("\n")
    early = lines[: data.draw(st.integers(1, len(lines)))]
    assert rendered(lines)[: len(early)] == rendered(early)
    found, guessed = (list(accumulate(counts)) for counts in (rendered(lines), at_most(lines)))
    assert all(one <= other for one, other in zip(found, guessed, strict=True))


@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_shortened_ends_with_a_whole_sign(sign: str) -> None:
    text = sign * 100
    for limit in range(120, 160):
        cut = shortened(text, limit, utf8)
        assert utf8(cut) <= limit
        assert cut.removesuffix("…") == sign * (len(cut) // len(sign))


@settings(max_examples=150)
@given(ANSWERS, st.data())
def test_pages_before_the_last_stay_when_text_is_added(answer: str, data: st.DataObject) -> None:
    early = answer[: data.draw(st.integers(0, len(answer)))]
    settled = texts(split(early, BUDGET, streaming=True))[:-1]
    assert texts(split(answer, BUDGET, streaming=True))[: len(settled)] == settled
    assert texts(split(answer, BUDGET))[: len(settled)] == settled


@settings(max_examples=150)
@given(ANSWERS)
def test_no_page_leaves_a_fence_open(answer: str) -> None:
    for text in texts(split(answer, BUDGET)):
        after = blocks(f"{text}\n\nafter")[-1]
        assert after.kind is Kind.TEXT


def test_code_cut_in_two_is_closed_and_opened_again() -> None:
    code = "".join(f"line {number}\n" for number in range(60))
    pages = texts(split(f"````py title\n{code}````\nafter", BUDGET))
    assert all(page.startswith("````py") and "\n````" in page for page in pages)
    assert "".join(page.split("````")[1].split("\n", 1)[1] for page in pages).replace("\n", "") == code.replace(
        "\n", ""
    )
    assert pages[-1].endswith("````\nafter")


def test_a_fence_inside_a_longer_fence_is_code() -> None:
    inner = "```py\nprint()\n```\n" * 20
    parts = split(f"````md\n{inner}````\n\nafter", BUDGET)
    assert all(part.text.startswith("````md\n") for part in parts)
    assert all(blocks(part.text)[0].kind is Kind.CODE for part in parts)


def test_a_fence_that_ends_with_its_page_is_not_opened_again() -> None:
    for lines in range(10, 60):
        pages = texts(split("```\n" + "code\n" * lines + "```\nafter", BUDGET))
        assert not any("```\n```" in page for page in pages)


def test_a_table_cut_in_two_repeats_its_header() -> None:
    rows = "".join(f"| {number} | value |\n" for number in range(40))
    pages = texts(split(f"| n | v |\n|---|---|\n{rows}", BUDGET))
    assert len(pages) > 2
    assert all(page.startswith("| n | v |\n|---|---|\n| ") for page in pages)
    assert [row for page in pages for row in page.split("\n")[2:]] == rows.splitlines()


def test_pages_end_between_blocks() -> None:
    paragraph = "a few words " * 8
    pages = texts(split(f"{paragraph}\n\n" * 10, BUDGET))
    assert all(page.replace(paragraph.strip(), "").split() == [] for page in pages)


def test_a_heading_goes_with_what_follows() -> None:
    pages = texts(split("words " * 30 + "\n\n## Title\n\n" + "more " * 40, BUDGET))
    assert [page.startswith("## Title") for page in pages] == [False, True]


def test_a_nested_list_goes_on_nested() -> None:
    nested = "".join(f"     - item {number} of the list\n" for number in range(30))
    pages = texts(split(f"1. one\n\n   - two\n{nested}", BUDGET))
    assert len(pages) > 2
    assert pages[1].startswith("1. …\n   - …\n     - item ")


def test_a_quote_goes_on_quoted() -> None:
    pages = texts(split("> " + "words in a quote " * 40, BUDGET))
    assert len(pages) > 2
    assert all(page.startswith("> ") for page in pages)


def test_inline_code_cut_in_two_is_closed_and_opened_again() -> None:
    first, second = texts(split("`" + "some code " * 40 + "`", BUDGET))[:2]
    assert first.endswith("`")
    assert second.startswith("`")


@pytest.mark.parametrize("sign", [FAMILY, "🇩🇪", "e\u0301", "👍🏽"])
def test_a_sign_is_never_torn(sign: str) -> None:
    pages = texts(split("x" + sign * 300, BUDGET))
    assert len(pages) > 1
    assert all(page.removeprefix("x").replace(sign, "") == "" for page in pages)


def test_a_row_waits_until_it_is_whole() -> None:
    assert texts(split("| a |\n|---|\n| 1 |\n| 2", BUDGET, streaming=True)) == ["| a |\n|---|\n| 1 |"]
    assert texts(split("| a |\n|---|\n| 1 |\n| 2", BUDGET)) == ["| a |\n|---|\n| 1 |\n| 2"]


def test_nothing_gives_no_page() -> None:
    assert split(" \n\n ", BUDGET) == []


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("<think>hm</think>\n\nYes.", "Yes."),
        ("<think>hm\n\nstill", ""),
        ("A\n<think>b</think>C", "A\nC"),
        ("```\n<think>\n```\nend", "```\n<think>\n```\nend"),
        ("The tag `<think>` stays", "The tag `<think>` stays"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u2028b", "a\u2028b"),
    ],
)
def test_thoughts_are_not_shown(answer: str, shown: str) -> None:
    assert visible(answer) == shown


@pytest.mark.parametrize("end", range(1, len("<think>")))
def test_a_tag_half_said_is_not_shown(end: int) -> None:
    assert visible("<think>"[:end], streaming=True) == ""


def test_blocks_cover_every_line() -> None:
    text = "# T\n\n- a\n  ```\n  x\n  ```\n> b\n\n|a|b|\n|-|-|\n|1|2|\nno bar\n\n---\nend\n"
    found = blocks(text)
    assert [line for block in found for line in range(block.start, block.end)] == list(range(text.count("\n") + 1))
    assert [block.kind for block in found if block.kind is not Kind.TEXT] == [
        Kind.HEADING, Kind.CODE, Kind.TABLE, Kind.RULE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("漢字", 4), ("e\u0301", 1), (FAMILY, 2), ("👍🏽", 2), ("مرحبا", 5), ("a\u200bb", 2)],
)
def test_width_is_what_the_eye_sees(text: str, columns: int) -> None:
    assert width(text) == columns


def test_a_table_is_aligned_by_what_the_eye_sees() -> None:
    lines = (aligned([("name", "**n**"), ("漢字", "1"), (FAMILY, "`22`")], 40) or "").split("\n")
    assert lines == ["name | n", "-----+---", "漢字 | 1", f"{FAMILY}   | 22"]


def test_a_wide_table_is_told_row_by_row() -> None:
    rows = [("name", "text"), ("one", "x" * 50), ("two", "")]
    assert aligned(rows, 40) is None
    assert records(rows) == f"**name**: one\n**text**: {'x' * 50}\n\n**name**: two"


def test_code_is_closed_while_it_streams() -> None:
    guard = Guard(anywhere="(?!)")
    assert guard.prose("see `cod", streaming=True) == "see `cod`"
    assert guard.prose("see `", streaming=True) == "see "
    assert guard.prose("see `cod") == "see \\`cod"


@pytest.mark.parametrize(
    ("label", "target"),
    [
        ("bank.example", "https://evil.example"),
        ("https://bank.example/login", "https://bank.example.evil.com"),
        ("**bank.example**", "https://evil.example"),
        ("bank．example", "https://evil.example"),
        ("bank.exa\u200bmple", "https://evil.example"),
        ("elpmaxe.knab\u202e", "https://evil.example"),
        ("`bank.example`", "https://evil.example"),
    ],
)
def test_a_link_that_lies_is_told_beside_its_target(label: str, target: str) -> None:
    shown = Guard(anywhere="(?!)").prose(f"[{label}]({target})")
    assert "](" not in shown
    assert shown.endswith(f" ({target})")


@pytest.mark.parametrize(
    "link",
    [
        "[here](javascript:alert(1))", "[here](data:text/html,x)", "[bank.example](https://bank.example@evil.example)",
        "[bank.example](https://evil.example\\@bank.example)", "[bank.example](https://evil.example&sol;.bank.example)",
        "[a [b](https://evil.example) c", "[x]: https://evil.example", "[here](//evil.example)", "[a\\](https://evil.example)",
    ],
)  # fmt: skip
def test_what_cannot_be_vouched_for_is_no_link(link: str) -> None:
    shown = Guard(anywhere="(?!)").prose(link)
    assert "](" not in shown.replace("[b](https://evil.example)", "")
    assert "]:" not in shown


@pytest.mark.parametrize(
    "link",
    [
        "[docs](https://a.example/x_(y)?z=1#k)", "[docs.a.example](https://docs.a.example/x)", "[a.example](https://www.a.example)",
        "[`code`](https://a.example)", "[[1]](https://a.example)", "https://a.example", "<https://a.example>",
    ],
)  # fmt: skip
def test_an_honest_link_stays(link: str) -> None:
    assert Guard(anywhere="(?!)").prose(link) == link


@settings(max_examples=150)
@given(st.text(alphabet="`[]()<>\\@a.:/!h \n", max_size=60))
def test_no_link_survives_unless_whole(text: str) -> None:
    """Outside code, `](` is only ever followed by a page's address."""
    shown = Guard(anywhere="(?!)").prose(text)
    assert all(rest.startswith(("http://", "https://")) for rest in outside_code(shown).split("](")[1:])


def outside_code(text: str) -> str:
    from markdown_it import MarkdownIt  # noqa: PLC0415  # a second opinion on what is code

    off = ["link", "autolink", "entity", "html_inline", "image", "text_join"]
    inline = MarkdownIt("commonmark").disable(off).parseInline(text)
    return "".join(token.content if token.type == "text" else " " for token in inline[0].children or ())


@pytest.mark.parametrize(
    "piece", ["[", "*", "`", ">", "- ", "```\n", "`a``b", "[a](", "| a |\n", "<think>\n", "\u200d"]
)
def test_hostile_text_costs_little(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    began = time.process_time()
    for part in split(visible(text), Budget(limit=2_000)):
        Guard(anywhere="@").prose(part.text)
    assert time.process_time() - began < 1.0


def test_a_guarded_word_looks_the_same() -> None:
    assert Guard(anywhere="@all").prose("@all `@all`").replace(BREAK, "") == "@all `@all`"
