"""What Slack is shown, and what people wrote there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.buttons import context
from bots.slack.limits import PAGE_LIMIT, TEXT_LIMIT
from bots.slack.markdown import Page, pages, plain
from bots.text.inline import BREAK
from sandbox.slack.blocks import Surface, block_problems

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"
FRAGMENTS = (
    "word ", "\n", "\n\n", "- item\n", "  - nested\n", "> quoted\n", "```py\n", "```\n", "`", "``", "`code` ", TABLE + "\n", "| x | y |\n",
    "|---|---|\n", "## Title\n", "---\n", "<!channel>", "<!here|x>", "<@U123ABC>", "<#C1|x>", "<!date^1^{date}|x>", "@here", "@everyone ",
    "<!subteam^S1>", "<\\!channel>", "&lt;!channel&gt;", "&#64;here", "<https://a.example|https://b.example>", "[b.example](https://a.example)",
    "[x](javascript:x)", "](", "<", "@", "&", "x" * 2000, "漢字" * 500, "👩‍👩‍👧‍👦" * 50, "line of words " * 100, "|", "<think>",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=50).map("".join)
ALIVE = ("<!channel", "<!here", "<!subteam", "<!date", "<@U", "<#C", "@here", "@everyone")


def shown(answer: str) -> str:
    return "\n".join(page.markdown for page in pages(answer))


@settings(max_examples=150)
@given(ANSWERS, st.booleans())
def test_every_page_fits_and_pings_nobody(answer: str, streaming: bool) -> None:  # noqa: FBT001
    for page in pages(answer, streaming=streaming):
        assert len(page.markdown.encode()) <= PAGE_LIMIT
        assert len(page.fallback.encode()) <= TEXT_LIMIT
        assert not any(form in page.markdown or form in page.fallback for form in ALIVE)
        assert "<" not in page.fallback
        below = [context("& " * 2_000), {"type": "divider"}]
        assert not block_problems([{"type": "markdown", "text": page.markdown}, *below], Surface.MESSAGE)


@settings(max_examples=150)
@given(ANSWERS, st.data())
def test_pages_before_the_last_stay_when_text_is_added(answer: str, data: st.DataObject) -> None:
    settled = pages(answer[: data.draw(st.integers(0, len(answer)))], streaming=True)[:-1]
    assert pages(answer, streaming=True)[: len(settled)] == settled
    assert pages(answer)[: len(settled)] == settled


def test_plain_markdown_is_left_alone() -> None:
    answer = (
        f"# Title\n\n**bold** _it_ ~~no~~ `x < y` [a](https://a.example)\n\n- [ ] task\n  1. two\n\n> quote\n\n{TABLE}\n\n"
        "```html\n<!DOCTYPE html>\n<!-- a --> a[1](2) std::vector<int>\n```\n\n---\n\nend & <b>done</b>"
    )
    assert shown(answer) == answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("<!channel>", f"<{BREAK}!channel>"),
        ("`<!channel>`", f"`<{BREAK}!channel>`"),
        ("```\n<!subteam^S1>\n```", f"```\n<{BREAK}!subteam^S1>\n```"),
        ("<@U1>", f"<{BREAK}@U1>"),
        ("a @Channel b", f"a @{BREAK}Channel b"),
        ("<\\!here>", f"<{BREAK}\\!here>"),
        ("&lt;!here&gt;", f"&{BREAK}lt;!here&gt;"),
        ("&#x40;here", f"&{BREAK}#x40;here"),
        ("<https://a.example|shop.example>", "shop.example (https://a.example)"),
        ("[shop.example](https://a.example)", "shop.example (https://a.example)"),
        ("![a cat](https://a.example/cat.png)", "[a cat](https://a.example/cat.png)"),
        ("![](https://a.example/cat.png)", "https://a.example/cat.png"),
        ("[run](slack://open)", f"[run]{BREAK}(slack:{BREAK}//open)"),
        ("<slack://open>", f"<{BREAK}slack:{BREAK}//open>"),
        ("[1]: https://a.example", f"[1]{BREAK}: https://a.example"),
    ],
)
def test_what_slack_would_act_on_is_harmless(answer: str, expected: str) -> None:
    assert shown(answer) == expected


def test_the_first_table_is_slacks_and_the_next_ones_are_code() -> None:
    assert shown(f"{TABLE}\n\n{TABLE}") == f"{TABLE}\n\n```\na | b\n--+--\n1 | 2\n```"


def test_a_table_too_long_for_slack_is_code() -> None:
    answer = "| a |\n|---|\n" + "| 1 |\n" * 60
    assert shown(answer) == answer.rstrip()
    found = [page.markdown for page in pages("|a|\n|-|\n" + "|1|\n" * 102)]
    assert [page.startswith("```\na\n-\n1\n") for page in found] == [True]


def test_a_page_has_a_fallback_without_markup() -> None:
    assert pages("a < b & <b>c</b>") == [Page("a < b & <b>c</b>", "a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;")]
    assert pages("<" * 1500)[0].fallback.endswith("…")


def test_what_is_open_is_closed_while_it_streams() -> None:
    assert pages("see:\n```py\nx = `", streaming=True)[0].markdown == "see:\n```py\nx = `\n```"
    assert pages("see `cod", streaming=True)[0].markdown == "see `cod`"


def test_nothing_to_show_is_no_page() -> None:
    assert pages("<think>let me see", streaming=True) == []
    assert pages("") == []


def test_a_long_answer_has_few_pages() -> None:
    answer = "\n\n".join(f"Paragraph {number}: " + "words and words " * 20 for number in range(120))
    assert len(answer) > 40_000
    assert len(pages(answer)) <= 6


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
        ("<#C1|general> <#C2|> <#C3>", "#general #C2 #C3"),
        ("<!here> <!channel|channel> <!subteam^S1|@team> <!subteam^S2>", "@here channel @team @S2"),
        ("<!date^1^{date}|today>", "today"),
        ("if a &lt; b:\n  pass", "if a < b:\n  pass"),
    ],
)
def test_what_people_wrote_reads_as_they_saw_it(sent: str, said: str) -> None:
    assert plain(sent, "UBOT", {"U1": "Ann"}) == said
