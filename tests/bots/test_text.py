"""Documents, pages, tables and reasoning: what holds for every platform."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.helpers import parseLinkDestination

from bots.discord import markdown as discord
from bots.slack import markdown as slack
from bots.text import tables
from bots.text.cut import pieces, shortened, utf8
from bots.text.document import Kind, Leaf, complete, document
from bots.text.inline import _MARKDOWN, Span, bare, closed, open_ticks, spans, words_of
from bots.text.pages import Page, paged, split
from bots.text.reasoning import visible
from bots.text.tables import records
from tests.answers import SIGNS

FAMILY = "👩‍👩‍👧‍👦"

FRAGMENTS = (
    "word ", "some more words go here ", "\n", "\n\n", "- item\n", "  - nested item\n", "    - deeper\n", "1. first\n",
    "> quoted\n", "> > twice\n", "```py\n", "```\n", "````md\n", "````\n", "~~~\n", "> ```\n", "  ```\n", "`code` ", "`", "``",
    "| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "a|b\n-|-\n1|2\n", "# Title\n", "#### Deep\n", "---\n", "===\n", "    indented\n",
    "x" * 90, "x" * 400, "[a](https://a.example/x) ", "](", "- [ ] ", "-", "1. ", "|", "- - deep\n", "<", "@", "\\", "\u2028", FAMILY, "漢字", "مرحبا ", "e\u0301", "🇩🇪",
    "$$x\n", "= y$$\n", "\\begin{align}\n", "\\end{align}\n", "\\(", "$",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=60).map("".join)


LAYOUT = tables.Layout(widest=30, bare=bare, size=len, frame=8)


class Paper:
    """Room for text as it was typed."""

    limit = 900

    def size(self, leaf: Leaf, page: Sequence[Leaf]) -> int:
        return len(leaf.content) + 4

    def rows(self, leaf: Leaf, page: Sequence[Leaf]) -> Iterator[int]:
        least = self.size(leaf, page)
        yield from (max(least, size) for size in LAYOUT.sizes(leaf.rows, leaf.widths))

    def widths(self, leaf: Leaf) -> tuple[int, ...]:
        return LAYOUT.columns(leaf.rows, leaf.widths)


def room(page: Page) -> int:
    paper = Paper()
    sizes = [(paper.size(leaf, ()), *(paper.rows(leaf, ()) if leaf.rows else ())) for leaf in page]
    return sum(map(max, sizes))


def said(leaves: Sequence[Leaf]) -> str:
    """All words of the leaves, in order; what goes on from another page says some again."""
    words = (leaf.content if not leaf.rows else " ".join(map(" ".join, leaf.rows)) for leaf in leaves)
    return " ".join(words)


@settings(max_examples=200)
@given(ANSWERS)
def test_every_page_fits_and_no_word_is_lost(answer: str) -> None:
    leaves = list(document(answer))
    found = list(split(leaves, Paper()))
    assert all(room(page) <= Paper.limit for page in found)
    # Behind a fence they would be the name of a language.
    typed = answer if "```" not in answer and "~~~" not in answer else ""
    for word in ("word", "some", "item", "quoted", "code", "Title", "indented", "x", FAMILY, "漢字", "deep"):
        assert "".join(map(said, found)).count(word) >= said(leaves).count(word) >= typed.count(word)


@settings(max_examples=300)
@given(ANSWERS, st.data())
def test_pages_before_the_last_stay_when_text_is_added(answer: str, data: st.DataObject) -> None:
    early = answer[: data.draw(st.integers(0, len(answer)))]
    settled = list(paged(early, Paper(), streaming=True))[:-1]
    assert list(paged(answer, Paper(), streaming=True))[: len(settled)] == settled
    assert list(paged(answer, Paper(), streaming=False))[: len(settled)] == settled


@settings(max_examples=200)
@given(ANSWERS)
@example("word word word word word wor\n\u2028\n- item\nword ")  # no blank line: CommonMark knows spaces and tabs
def test_a_document_is_the_same_however_much_of_it_is_read_at_a_time(answer: str) -> None:
    assert list(document(answer, 40)) == list(document(answer))


def test_leaves_know_where_they_lie() -> None:
    found = list(document("- a\n  1. b\n\n     c\n> d\n>\n> - e\n\n```py\nx\n```\n"))
    assert found == [
        Leaf(Kind.TEXT, "a", items=(None,), begins=1),
        Leaf(Kind.TEXT, "b", items=(None, 1), begins=1),
        Leaf(Kind.TEXT, "c", items=(None, 1), gap=True),
        Leaf(Kind.TEXT, "d", quoted=True),
        Leaf(Kind.TEXT, "e", items=(None,), begins=1, quoted=True, goes_on=True, gap=True),
        Leaf(Kind.CODE, "x", info="py", gap=True),
    ]


def test_words_below_many_marks_are_not_lost() -> None:
    for mark in ("> ", "- ", "1. "):
        assert next(document(mark * 200 + "deep")).content.endswith("deep")


@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_shortened_ends_with_a_whole_sign(sign: str) -> None:
    text = sign * 100
    for limit in range(120, 160):
        cut = shortened(text, limit, utf8)
        assert utf8(cut) <= limit
        assert cut.removesuffix("…") == sign * (len(cut) // len(sign))


@settings(max_examples=100)
@given(ANSWERS, st.data())
def test_pieces_fit_and_stay(text: str, data: st.DataObject) -> None:
    found = pieces(text, 100)
    assert all(0 < len(piece) <= 100 for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())
    settled = pieces(text[: data.draw(st.integers(0, len(text)))], 100)[:-1]
    assert found[: len(settled)] == settled


def test_code_cut_in_two_is_code_on_both_pages() -> None:
    code = "".join(f"line {number}\n" for number in range(200))
    found = [leaf for page in split(document(f"````py title\n{code}````\nafter"), Paper()) for leaf in page]
    assert "".join(f"{leaf.content}\n" for leaf in found[:-1]) == code
    assert {(leaf.kind, leaf.info) for leaf in found[:-1]} == {(Kind.CODE, "py title")}
    assert found[-1].content == "after"


def test_a_table_cut_in_two_repeats_its_header_and_keeps_its_columns() -> None:
    rows = "".join(f"| {number} | value |\n" for number in range(240))
    found = [leaf for page in split(document(f"| n | v |\n|---|---|\n{rows}"), Paper()) for leaf in page]
    assert len(found) > 2
    assert {leaf.rows[0] for leaf in found} == {("n", "v")}
    assert [row[0] for leaf in found for row in leaf.rows[1:]] == [str(number) for number in range(240)]
    assert found[1].widths == LAYOUT.columns(found[0].rows, ())


def test_a_row_too_long_for_a_page_is_text() -> None:
    found = [
        leaf
        for page in split(document(f"| a | b |\n|---|---|\n| 1 | {'word ' * 400} |\n| 2 | 3 |\n"), Paper())
        for leaf in page
    ]
    assert said(found).count("word") == 400
    assert found[-1].rows == (("a", "b"), ("2", "3"))


def test_pages_end_between_blocks() -> None:
    paragraph = "a few words " * 8
    found = list(split(document(f"{paragraph}\n\n" * 40), Paper()))
    assert {leaf.content for page in found for leaf in page} == {paragraph.strip()}
    assert {len(page) for page in found[:-1]} == {9}


def test_a_heading_goes_with_what_follows() -> None:
    first, second = split(document("words " * 137 + "\n\n## Title\n\n" + "more " * 80), Paper())
    assert [leaf.kind for leaf in first] == [Kind.TEXT]
    assert [leaf.kind for leaf in second] == [Kind.HEADING, Kind.TEXT]


def test_inline_code_cut_in_two_is_code_on_both_pages() -> None:
    first, second = split(document("`" + "some code " * 150 + "`"), Paper())
    assert first[0].content.endswith("`")
    assert second[0].content.startswith("`")


@pytest.mark.parametrize("sign", [FAMILY, "🇩🇪", "e\u0301", "👍🏽"])
def test_a_sign_is_never_torn(sign: str) -> None:
    found = list(split(document("x" + sign * 900), Paper()))
    assert len(found) > 1
    assert all(page[0].content.removeprefix("x").replace(sign, "") == "" for page in found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("| a |\n|---|\n| 1 |\n| 2", "| a |\n|---|\n| 1 |\n"),
        ("x\n| a |", "x\n"),
        ("x\n| a |\n|--", "x\n"),
        ("| a |\n|---|\n", ""),
        ("x\n- ", "x\n"),
        ("x\n```py", "x\n"),
        ("x\n```py\n", "x\n```py\n"),
        ("x || y", "x || y"),
    ],
)
def test_what_may_turn_out_to_be_something_else_waits(text: str, shown: str) -> None:
    assert complete(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [the do", "see "),
        ("see [the `docs`]", "see "),
        ("see ![it](https://a.example/x_(y", "see "),
        ("see [it](https://a.example)", "see [it](https://a.example)"),
        ("`a[` and more", "`a[` and more"),
        ("- [ ] open", "[ ] open"),
        ("a **bold wo", "a **bold wo**"),
        ("a **bold *", "a **bold**"),
        ("**Note:**more", "**Note:**more"),
        ("two ** three", "two ** three"),
        ("# see [the do", "see "),
        ("# a **bold wo", "a **bold wo**"),
        ("see https://bank.exam", "see "),
        ("**see https://bank.exam", "**see**"),
        ("访问https://bank.exam", "访问"),
        ("(see https://a.example/x_(y", "(see "),
        ("见https://a.example/x。然后", "见https://a.example/x。然后"),
        ("see <https://a.example/x|the sh", "see "),
        ("see <https://a.exam", "see "),
        ("see [it](https://a.example/?u=https://b.example)", "see [it](https://a.example/?u=https://b.example)"),
        ("so \\", "so "),
        ("so \\\\", "so \\\\"),
        ("a &l", "a "),
        ("a & b", "a & b"),
        ("a <su", "a "),
        ("a < b", "a < b"),
        ("a **", "a "),
        ("**bold**", "**bold**"),
        ("as \\(x_1 + ", "as "),
        ("as \\(x\\) is", "as \\(x\\) is"),
        ("costs $", "costs "),
        ("`a [b](https://a.example) <https://b.example|c` d", "`a [b](https://a.example) <https://b.example|c` d"),
    ],
)
def test_marks_are_not_shown_as_signs_before_the_rest_of_them_comes(text: str, shown: str) -> None:
    assert next(paged(text, Paper(), streaming=True))[0].content.replace("☐", "[ ]") == shown


def test_nothing_gives_no_page() -> None:
    assert not list(split(document(" \n\n "), Paper()))


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("<think>hm</think>\n\nYes.", "Yes."),
        ("<think>hm\n\nstill", "hm\n\nstill"),
        ("A\n<think>b</think>C", "A\nC"),
        ("First.\n<thinking>b</thinking>\nSecond.", "First.\nSecond."),
        ("So 2+2 is asked.\n</think>\n\nFour.", "Four."),
        ("So 2+2 is asked.</think>Four.", "Four."),
        ("<think>a <think>b</think> c</think>answer", "answer"),
        ("<THOUGHT >a ``` b</THOUGHT >\nanswer", "answer"),
        ("```\n<think>\n```\nend", "```\n<think>\n```\nend"),
        ("```\na</think>\n```\nend", "```\na</think>\n```\nend"),
        ("The tag `<think>` stays, and `</think>`", "The tag `<think>` stays, and `</think>`"),
        (
            "1. so\n    ```xml\n    <think>a</think>\n    ```\nend",
            "1. so\n    ```xml\n    <think>a</think>\n    ```\nend",
        ),
        ("- ```\n  <think>a</think>\n  ```", "- ```\n  <think>a</think>\n  ```"),
        ("> ```\n> <think>a</think>\n> ```\nend", "> ```\n> <think>a</think>\n> ```\nend"),
        ("`` a ` <think> b `` c", "`` a ` <think> b `` c"),
        ("```x``` is code.\n<think>hm</think>Yes.", "```x``` is code.\nYes."),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>",
            "Four.",
        ),
        (
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=x <|constrain|>json"
                "<|message|>{}<|call|><|start|>assistant<|channel|>final<|message|>Four."
            ),
            "Four.",
        ),
        ("<|channel|>final<|message|>Four.<|end|>", "Four."),
        ("`<|channel|>analysis<|message|>` begins it", "`<|channel|>analysis<|message|>` begins it"),
        ("It is <|begin_of_box|>4<|end_of_box|>.", "It is 4."),
        ("f <| g", "f <| g"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u2028b", "a\u2028b"),
    ],
)
def test_reasoning_is_not_shown(answer: str, shown: str) -> None:
    assert visible(answer) == shown


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("It is<think>hm</think>so.", "It is so."),
        ("It is <think>hm</think>so.", "It is so."),
        ("It is<think>hm</think>.", "It is."),
        ("It is<think>so.", "It is so."),
    ],
)
def test_a_tag_leaves_words_apart(answer: str, shown: str) -> None:
    assert visible(answer) == shown


def test_reasoning_that_goes_on_waits() -> None:
    assert visible("Yes.\n<think>hm\n\nstill", streaming=True) == "Yes.\n"


@pytest.mark.parametrize("tag", ["<think>", "<thinking>", "</thought>"])
def test_a_tag_half_said_is_not_shown(tag: str) -> None:
    for end in range(1, len(tag)):
        assert visible(tag[:end], streaming=True) == ""


def test_no_sign_of_a_channel_is_shown_before_it_is_over() -> None:
    answer = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>"
    assert {visible(answer[:end], streaming=True) for end in range(len(answer) + 1)} == {
        "Four."[:end] for end in range(6)
    }


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("漢字", 4), ("e\u0301", 1), (FAMILY, 2), ("👍🏽", 2), ("مرحبا", 5), ("a\u200bb", 2)],
)
def test_width_is_what_the_eye_sees(text: str, columns: int) -> None:
    assert tables.width(text) == columns


def test_a_table_is_aligned_by_what_the_eye_sees() -> None:
    rows = [("name", "**n**"), ("漢字", "1"), (FAMILY, "`22`")]
    lines = (LAYOUT.aligned(rows, ()) or "").split("\n")
    assert lines == ["name | n", "-----+---", "漢字 | 1", f"{FAMILY}   | 22"]


def test_a_wide_table_is_told_row_by_row() -> None:
    rows = [("name", "text"), ("one", "x" * 50), ("two", "")]
    assert LAYOUT.aligned(rows, ()) is None
    assert list(map(list, tables.records(rows))) == [[("name", "one"), ("text", "x" * 50)], [("name", "two")]]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `ps | grep x` | find |", ("`ps | grep x`", "find")),
        ("| lint | ok | 66 warnings |", ("lint", "ok", "66 warnings")),
        ("| a \\| b | c |", ("a | b", "c")),
        ("a |", ("a", "")),
        ("|  | b |", ("", "b")),
    ],
)
def test_no_cell_is_lost(row: str, cells: tuple[str, ...]) -> None:
    (leaf,) = document(f"| x | y |\n|---|---|\n{row}\n")
    assert leaf.rows[1] == cells


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ("| `a|b` | c |\n|---|---|\n| 1 | 2 |", (("`a|b`", "c"), ("1", "2"))),
        ("| a | b | c |\n|---|---|\n| 1 | 2 | 3 |", (("a", "b", "c"), ("1", "2", "3"))),
        ("| a | b |\n|---|---|---|\n| 1 | 2 |", (("a", "b"), ("1", "2"))),
    ],
)
def test_a_header_that_the_line_below_does_not_fit_is_one(written: str, rows: tuple[tuple[str, ...], ...]) -> None:
    (leaf,) = document(written)
    assert leaf.rows == rows


def test_a_row_without_a_bar_is_text_again() -> None:
    assert [leaf.kind for leaf in document("Look:\n| a |\n|---|\n| 1 |\nno bar")] == [Kind.TEXT, Kind.TABLE, Kind.TEXT]


def test_code_that_is_open_is_known() -> None:
    assert [open_ticks(text) for text in ("see `cod", "see `a` b", "``a` b", "\\`a")] == ["`", "", "``", ""]


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("see `code` and", "see `code` and"),
        ("see `cod", "see \\`cod"),
        ("``a` b", "\\`\\`a\\` b"),
        ("``a` b`` c`", "``a` b`` c\\`"),
        ("\\`a` b", "\\`a\\` b"),
        ("\\\\`a` b", "\\\\`a` b"),
    ],
)
def test_signs_that_open_no_code_are_said_to_be_none(text: str, becomes: str) -> None:
    assert closed(text) == becomes


@given(st.text("`\\ab*", max_size=20))
def test_it_reads_the_same_then(text: str) -> None:
    assert words_of(spans(closed(text))) == words_of(spans(text))
    assert not open_ticks(closed(text))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("$$a_1*b_1*c\n= d*e*f$$", "a_1*b_1*c\n= d*e*f"),
        (
            "So:\n$$\\begin{aligned}\nx &= 1 \\\\\n+ y\n\\end{aligned}$$",
            "\\begin{aligned}\nx &= 1 \\\\\n+ y\n\\end{aligned}",
        ),
        ("\\begin{align*}\nx &= a*b*c\n\\end{align*}", "\\begin{align*}\nx &= a*b*c\n\\end{align*}"),
        ("$$\nx_1*y\n$$", "x_1*y"),
        ("\\[\nx\n\\]", "x"),
    ],
)
def test_a_formula_on_several_lines_is_code(written: str, code: str) -> None:
    leaf = list(document(f"{written}\nand so on"))[-2]
    assert (leaf.kind, leaf.content, leaf.info) == (Kind.CODE, code, "latex")


@pytest.mark.parametrize(
    "written", ["$$x*y$$ is it\nand more", "$$$ signs\nmore", "\\begin there\nmore", "$$x$$\nmore"]
)
def test_what_only_begins_like_a_formula_is_text(written: str) -> None:
    (leaf,) = document(written)
    assert leaf.kind is Kind.TEXT


@pytest.mark.parametrize(
    ("label", "target"),
    [
        ("bank.example", "https://evil.example"),
        ("https://bank.example/login", "https://bank.example.evil.com"),
        ("**bank.example**", "https://evil.example"),
        ("bank．example", "https://evil.example"),
        ("bank.exa\u200bmple", "https://evil.example"),
        ("elpmaxe.knab\u202e", "https://evil.example"),
        ("bank.exa\u034fmple", "https://evil.example"),
        ("bank.exa\U000e0061mple", "https://evil.example"),
        ("bank.exa\u3164mple", "https://evil.example"),
        ("bank.exa\ufe0fmple", "https://evil.example"),
        ("bank&#46;example", "https://evil.example"),
        ("bank&#x200b;.example", "https://evil.example"),
        ("`bank.example`", "https://evil.example"),
        ("bank\ua4f8example", "https://evil.example"),
        ("bank\u0660example", "https://evil.example"),
        ("bank.\u200aexample", "https://evil.example"),
        ("bank.e\u0323xample", "https://evil.example"),
        ("bank.i\u0323o", "https://evil.example"),
        ("mu\u0308nchen.example", "https://munchen.example"),
        ("192.0.2.1", "https://evil.example"),
        ("a." * 30 + "-..bank.example", "https://evil.example"),
        ("at 192.0.2.1/login.", "https://192.0.2.10"),
    ],
)
def test_a_link_that_lies_is_told_beside_its_target(label: str, target: str) -> None:
    found = spans(f"[{label}]({target})")
    assert words_of(found).endswith(f" ({target})")
    assert [span.text for span in found if span.url] == [target]


@pytest.mark.parametrize(
    "link",
    [
        "[here](javascript:alert(1))", "[here](data:text/html,x)", "[bank.example](https://bank.example@evil.example)",
        "[bank.example](https://evil.example\\@bank.example)", "[x](https://evil.example\u200b.bank.example)",
        "[x]: https://a.example@b", "[here](//evil.example)", "[a\\](x)", "<slack://open>", "https://a@b.example",
    ],
)  # fmt: skip
def test_what_cannot_be_vouched_for_is_no_link(link: str) -> None:
    assert not any(span.url for span in spans(link))


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("[docs](https://a.example/x_(y)?z=1#k)", Span("docs", url="https://a.example/x_(y)?z=1#k")),
        ("[docs.a.example](https://docs.a.example/x)", Span("docs.a.example", url="https://docs.a.example/x")),
        ("[a.example](https://www.a.example)", Span("a.example", url="https://www.a.example")),
        ("[`code`](https://a.example)", Span("code", code=True, url="https://a.example")),
        ("[[1]](https://a.example)", Span("[1]", url="https://a.example")),
        (
            "https://a.example/@here/File:x_y",
            Span("https://a.example/@here/File:x_y", url="https://a.example/@here/File:x_y"),
        ),
        ("<https://a.example>", Span("https://a.example", url="https://a.example", is_angled=True)),
        ("[x](https://a.example/?a=1&amp;b=2)", Span("x", url="https://a.example/?a=1&b=2")),
    ],
)
def test_an_honest_link_stays(link: str, found: Span) -> None:
    assert spans(link) == (found,)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a<br>b", [Span("a\nb")]),
        ("<b>a</b> <T> <b>", [Span("a", bold=True), Span(" <T> <b>")]),
        ("H<sub>2</sub>O 1<sup>st</sup> x<sup>2</sup> e<sup>a/b</sup>", [Span("H₂O 1st x² e^(a/b)")]),
        ("</details>", []),
        ("<code>a*b*c &lt;T&gt; $x$</code> *d*", [Span("a*b*c <T> $x$", code=True), Span(" "), Span("d", italic=True)]),
        ("<b><code>__init__</code></b>", [Span("__init__", bold=True, code=True)]),
        ("<!-- a --> <!channel>", [Span("<!-- a --> <!channel>")]),
        ("**«цитата»**слово", [Span("«цитата»", bold=True), Span("слово")]),
        (
            "**„Zitat“**wort **Nun…**also",
            [Span("„Zitat“", bold=True), Span("wort "), Span("Nun…", bold=True), Span("also")],
        ),
        ("使用**「重点」**の", [Span("使用"), Span("「重点」", bold=True), Span("の")]),
    ],
)
def test_what_stands_in_a_line_is_read_as_it_was_meant(written: str, shown: list[Span]) -> None:
    assert list(spans(written)) == shown


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "*",
        "`",
        ">",
        "> ",
        "`a``b",
        "[a](",
        "| a |\n",
        "<think>\n",
        "\u200d",
        "word ",
        "<b>",
        "- item\n",
        "|a|\n|-|\n",
        "[a](x(y(z",
        "![a](",
        "[a](" + "(z" * 200,
        "**a",
    ],
)
def test_hostile_text_costs_little(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    began = time.process_time()
    list(paged(visible(text), Paper(), streaming=True))
    for page in paged(visible(text), Paper(), streaming=False):
        for leaf in page:
            spans(leaf.content)
    assert time.process_time() - began < 1.0


@settings(max_examples=50)
@given(st.lists(ANSWERS, min_size=1, max_size=30).map("\n\n".join), st.integers(0, 4), st.booleans())
def test_the_first_pages_are_the_same_if_no_more_are_made(answer: str, most: int, streaming: bool) -> None:  # noqa: FBT001
    for pages in (discord.pages, slack.pages):
        assert pages(answer, streaming=streaming)[:most] == pages(answer, streaming=streaming, most=most + 1)[:most]


def test_of_what_people_are_not_shown_nothing_is_read() -> None:
    def leaves() -> Iterator[Leaf]:
        yield from document("Some words.\n\n" * 200)
        pytest.fail("nobody asked for that")

    assert next(split(leaves(), Paper()))


@given(
    st.text("(()\\ a<\x01", max_size=80)
    | st.integers(28, 40).flatmap(lambda n: st.text("()a ", max_size=20).map("(".__mul__(n).__add__))
)
def test_where_a_link_leads_is_as_commonmark_says(target: str) -> None:
    ours = _MARKDOWN.helpers.parseLinkDestination(target, 0, len(target))
    theirs = parseLinkDestination(target, 0, len(target))
    assert (ours.ok, ours.str, ours.pos) == (theirs.ok, theirs.str, theirs.pos)


def test_a_link_of_very_many_words_costs_little() -> None:
    began = time.process_time()
    assert spans(f"[{'a.' * 4_000}1](https://a.example)")[0].url
    assert time.process_time() - began < 0.5


@example("```code` " + "x" * 270)
@settings(max_examples=100)
@given(ANSWERS)
def test_a_table_takes_no_less_when_a_row_is_added(answer: str) -> None:
    for leaf in document(answer):
        if leaf.rows:
            sizes = list(LAYOUT.sizes(leaf.rows, ()))
            assert sizes == sorted(sizes)
            assert len(LAYOUT.aligned(leaf.rows, ()) or "") + 8 <= sizes[-1]
            assert replace(leaf, rows=leaf.rows[:1]).rows


def test_a_column_in_which_nothing_stands_keeps_its_name() -> None:
    rows = [("City", "People", "River"), ("Rome", "", "Tiber"), ("Bonn", "", "Rhine")]
    assert [list(record) for record in records(rows)] == [
        [("City", "Rome"), ("People", ""), ("River", "Tiber")],
        [("City", "Bonn"), ("River", "Rhine")],
    ]
