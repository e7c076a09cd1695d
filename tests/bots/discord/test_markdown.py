"""What Discord is shown, and what people wrote there."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.discord.limits import CONTENT
from bots.discord.markdown import pages
from bots.text.document import Kind, document
from bots.text.inline import spans
from tests.bots.discord.reading import INLINE_CODE, read

FAMILY = "👩‍👩‍👧‍👦"
FRAGMENTS = (
    "word ", "\n", "\n\n", "- item\n", "  - nested\n", "> quoted\n", ">>> all\n", "```py\n", "```\n", "````\n", "~~~\n", "`", "``", "`code` ",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "| x | y | " + "z" * 50 + " |\n", "|---|---|---|\n", "|---|---|\n", "## Title\n", "##### Deep\n", "---\n",
    "<@1>", "<@!1>", "<@&1>", "<#1>", "</ask:1>", "<t:1:R>", "<id:guide>", "<a:x:1>", "<:x:1>", "@everyone", "@here ", "||spoiler||",
    "[b.example](https://a.example)", "](", "<", "@", "x" * 500, "漢字" * 100, FAMILY * 20, "line of words " * 30, "|", "===\n", "    four\n",
    "a|b\n-|-\n1|2\n", "<think>", "1. ", "12345678. x\n", "`a ``b` ", "\\", "**", "_", "~~", "$ a | b || c\n",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=60).map("".join)
# What stands inside a line, in pieces that may become anything.
INLINE = st.lists(
    st.sampled_from(
        [*"*_~|`<>[]()\\#-:@! \n", "a", "b c", "1.", "**", "__", "||", "``", "](", "```", "https://a.example/x_y", "http://b.example",
         "<https://a.example>", "@everyone", "<@1>", "[go](https://a.example)", "[`c`](https://a.example/z)", "`x`", "`a*b_c`", "<t:1:R>",
         "steam://x", "漢", "&lt;@1>", "&#96;", "<b>", "</b>", "> ", "# ", "- ", "](https://evil.example)",
         "https://a.example/?f[x]=1", "[https://a.example](https://a.example/)"]
    ),
    max_size=24,
).map("".join)  # fmt: skip


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def shown(answer: str) -> str:
    return "\n".join(pages(answer))


@settings(max_examples=200)
@given(ANSWERS, st.booleans())
def test_every_page_fits_and_pings_nobody(answer: str, streaming: bool) -> None:  # noqa: FBT001
    for page in pages(answer, streaming=streaming):
        assert units(page) <= CONTENT
        for inline_code in INLINE_CODE:
            assert not read(page, inline_code).pings


@settings(max_examples=200)
@given(ANSWERS, st.data())
def test_pages_before_the_last_stay_when_text_is_added(answer: str, data: st.DataObject) -> None:
    settled = pages(answer[: data.draw(st.integers(0, len(answer)))], streaming=True)[:-1]
    assert pages(answer, streaming=True)[: len(settled)] == settled
    assert pages(answer)[: len(settled)] == settled


@settings(max_examples=500)
@given(INLINE)
@example("`a ```b [google.com](https://evil.example) c`")
@example("x@everyone<https://a.example>")
@example("**> _***")
def test_discord_reads_what_was_meant(answer: str) -> None:
    """No ping, exactly the links that were meant, code byte for byte, and every word."""
    leaves = list(document(answer))
    if any(leaf.kind not in (Kind.TEXT, Kind.HEADING) or not leaf.content for leaf in leaves):
        return
    found = [span for leaf in leaves for span in spans(leaf.content)]
    links = {(span.url) for span in found if span.url}
    code = [span.text for span in found if span.code]
    if any("``" in one for one in code):
        code = []  # Discord has no form for it that all its readers understand, and it is text with the same words
    words = "".join(span.text for span in found)
    for inline_code in INLINE_CODE:
        reading = read(shown(answer), inline_code)
        assert not reading.pings
        assert {url for _, url in reading.links} == links
        for one in code:
            assert any(one in other for other in reading.code)
        assert is_within(letters(words), letters(reading.words))


def letters(text: str) -> str:
    """All but room, and the bars that may be a spoiler's."""
    return "".join(text.replace("|", "").split())


def is_within(words: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in words)


@settings(max_examples=150)
@given(ANSWERS)
def test_no_word_is_lost(answer: str) -> None:
    answer = re.sub("<think>|```|~~~", "", answer)  # behind a fence it would be the name of a language
    text = " ".join(shown(answer).replace("`", " ").split())  # a page may end inside of them, and of code
    for word in ("word", "item", "nested", "quoted", "spoiler", "four", "line of words"):
        assert text.count(word) >= answer.count(word)


def test_plain_markdown_is_left_alone() -> None:
    answer = (
        "# Title\n\n**bold** *it* ~~no~~ `x < y` ||spoiler|| [a](https://a.example) _it **b**_\n\n- one\n  - two\n\n"
        "> quote\n> \n> more\n\n```py\na[1](2)\n```\nend\n\n3. three\n   lines\n   - four"
    )
    assert shown(answer) == answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("#### Deep **er**", "**Deep er**"),
        ("Title\n===", "# Title"),
        ("One\ntwo\n---\nthree", "One\ntwo\n────────────\nthree"),
        ("a\n\n***\n\nb", "a\n\n────────────\n\nb"),
        ("![a cat](https://a.example/cat.png)", "[a cat](https://a.example/cat.png)"),
        ("> > twice", "> twice"),
        (">>> all\n\nmine", "> all\n\nmine"),
        ("~~~py\nx\n~~~", "```py\nx\n```"),
        ("a\n\n    x = a*b*c\n\nb", "a\n\n```\nx = a*b*c\n```\n\nb"),
        ("````md\n```py\nx\n```\n````", "\\`\\`\\`py\n```md\nx\n```\n\\`\\`\\`"),
        ("> ```\n> x\n> ```", "> ```\n> x\n> ```"),
        ("a ``` b", "a \\`\\`\\` b"),
        ("`a``b`", "a\\`\\`b"),
        ("``a`b``", "``a`b``"),
        ("| a | 漢 |\n|---|---|\n| **1** | 2 |", "```\na | 漢\n--+---\n1 | 2\n```"),
        (f"| a | b |\n|---|---|\n| 1 | {'x' * 70} |", f"**a**: 1\n**b**: {'x' * 70}"),
        ("@everyone a@here.example", "\\@everyone a@here.example"),
        ("`@here` `<t:1:R>`", "`@here` `<t:1:R>`"),
        ("<@&1> </ask it:1> <t:1:R>", "\\<@&1> \\</ask it:1> \\<t:1:R>"),
        ("&lt;@1> &#64;here", "\\<@1> \\@here"),
        ("[shop.example](https://a.example)", "shop.example (https://a.example)"),
        ("[run](steam://run) steam://run", "run (steam\\://run) steam\\://run"),
        ("[https://a.example](https://a.example/)", "https://a.example/"),
        ("so [https://a.example/x](https://a.example/x?from=b), and", "so https://a.example/x?from=b, and"),
        ("[https://a.example](https://a.example.evil.example)", "https\\://a.example (https://a.example.evil.example)"),
        ("see https://a.example/x_(y)!", "see <https://a.example/x_(y)>!"),
        ("[a]: https://a.example", "\\[a]: https://a.example"),
        ("-# small\n\\# no title\n1\\. no list", "\\-# small\n\\# no title\n1\\. no list"),
        ("if a || b, c || d", "if a \\|\\| b, c \\|\\| d"),
        ("H<sub>2</sub>O<br><b>x</b> <T> x<sup>n</sup>", "H₂O\n**x** \\<T> xⁿ"),
        ("<details><summary>More</summary>\n\ntext\n\n</details>", "More\n\ntext"),
        ("**注意：**请看", "**注意：**请看"),
        ("- [x] done\n- [ ] open", "- ☑ done\n- ☐ open"),
        ("a\r\nb\u2028c", "a\nb\u2028c"),
    ],
)
def test_each_form_becomes_discords_best(answer: str, expected: str) -> None:
    assert shown(answer) == expected


@pytest.mark.parametrize(
    "address",
    [
        "https://hackmd.io/@jkyang/B1W69XA-fe", "https://medium.com/@heretic/a-post-1a2b", "https://x.example/@everyonesocial/1",
        "https://commons.wikimedia.org/wiki/File:Example.jpg", "https://registry.example/v2/app/data:latest", "info@hereford.example",
        "<https://commons.wikimedia.org/wiki/File:Example.jpg>", "https://a.example/a_b_c*d~~e",
        "https://api.example/posts?filter[author]=ada&page[size]=10&sort=-at",
    ],
)  # fmt: skip
def test_an_address_is_left_whole(address: str) -> None:
    assert shown(f"See {address} for more.") == f"See {address} for more."


def test_a_fence_with_fences_in_it_keeps_every_line() -> None:
    reading = read(shown("````md\nintro\n```py\nx = `1`\n```\n````"))
    assert reading.words == "intro\n```py\nx = `1`\n```"
    assert reading.code == ["intro", "x = `1`"]


def test_what_is_open_is_closed_while_it_streams() -> None:
    assert pages("see:\n```py\nx", streaming=True) == ["see:\n```py\nx\n```"]
    assert pages("see `cod", streaming=True) == ["see `cod`"]
    assert pages("see `", streaming=True) == ["see "]
    assert pages("see:\n```py\n", streaming=True) == ["see:"]


def test_a_long_line_is_cut_between_signs() -> None:
    found = pages(FAMILY * 1000)
    assert all(not page.replace(FAMILY, "") for page in found)
    assert all(units(page) > CONTENT * 0.9 for page in found[:-1])


PARAGRAPH = "Some words that say a little about this and that, and then some more. "
CODE = "```\n" + "code goes here\n" * 8 + "```"


@pytest.mark.parametrize(
    "answer",
    [
        "\n\n".join([PARAGRAPH * 15] * 10),
        "\n\n".join(["```py\n" + "result = compute(first, second)\n" * 34 + "```"] * 10),
        "| number | what |\n|---|---|\n" + "".join(f"| {n} | thing {n} |\n" for n in range(1_500)),
        "\n\n".join(f"## Part {n}\n\n{PARAGRAPH * 6}\n\n{CODE}" for n in range(40)),
    ],
    ids=["paragraphs", "code", "table", "mixed"],
)
def test_no_message_more_than_there_must_be(answer: str) -> None:
    """An answer of this length once took eleven."""
    assert len(pages(answer[:10_314])) == 6


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("\n\n".join(PARAGRAPH * (3 + number % 5) for number in range(30)), 0.85),
        ("".join(f"- {PARAGRAPH}\n" for _ in range(140)), 0.9),
        ("```py\n" + "result = compute(first, second)\n" * 300 + "```", 0.9),
        ("| number | what |\n|---|---|\n" + "".join(f"| {n} | thing {n} |\n" for n in range(1_000)), 0.9),
        ("\n\n".join(f"## Part {n}\n\n{PARAGRAPH * 3}\n\n{CODE}" for n in range(20)), 0.8),
    ],
    ids=["paragraphs", "list", "code", "table", "mixed"],
)
def test_pages_are_full(answer: str, share: float) -> None:
    found = pages(answer)
    assert sum(map(units, found[:-1])) / (len(found) - 1) > CONTENT * share


def test_a_table_keeps_its_columns_on_all_pages() -> None:
    rows = [("a long name first", "y" * 6), *[(str(number), "y" * (number % 7)) for number in range(400)]]
    found = pages("| name | value |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows))
    assert len(found) > 3
    assert {page.split("\n")[2] for page in found} == {"-" * 17 + "-+-" + "-" * 6}


def test_a_list_goes_on_with_its_numbers_and_depth() -> None:
    found = pages("".join(f"{number}. {PARAGRAPH}\n    - {PARAGRAPH}\n" for number in range(1, 40)))
    numbers = [int(number) for page in found for number in re.findall(r"^(\d+)\. (?!…)", page, re.MULTILINE)]
    assert numbers == list(range(1, 40))
    for page in found[1:]:
        assert re.match(r"\d+\. (Some|…\n +- Some)", page)


def test_what_only_seems_to_be_code_up_to_a_pages_end_is_none() -> None:
    first, *_ = pages(f"A `` and H<sub>2</sub>O, {'and so on, ' * 300}")
    assert first.startswith(r"A \`\` and H₂O, and so on")


def test_a_page_may_end_inside_of_code_and_a_quote() -> None:
    found = pages("> " + "words `in code` and " * 200)
    assert len(found) > 2
    assert all(page.startswith("> ") and page.count("`") % 2 == 0 for page in found)
    first, second = pages("`" + "some code " * 300 + "`")[:2]
    assert first.endswith("`")
    assert second.startswith("`")
