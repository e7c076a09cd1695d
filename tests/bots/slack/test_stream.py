"""What Slack's own streams are given: it only grows, nothing in it calls or lies, and no word of the answer is missing."""

import html
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bots.slack.stream import stream_text
from bots.text.document import document
from bots.text.inline import TAG, bare, spans
from bots.text.reasoning import visible
from tests.bots.slack.test_markdown import FRAGMENTS

# Slack's reader isn't published; CommonMark with what GitHub adds to it is what its documentation describes.
READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
MORE = (
    "<think>", "</think>", "[THINK]", "[/THINK]", "~~~\n", "    code\n", "\\(a*b\\)", "$x$", "$$\n", "1. one\n", "   ", "**重点：**字", "snake_case ", "\\",
    "![x](https://a.example/i.png)", "[a\n](https://a.example)", "[a]: https://a.example\n", "[a]", "https://a.example/(x)*", "http", "!", "```", "~", "===\n",
    "<br>", "<details>\n", "</details>", "<sub>2</sub>", "&lt;", "&am", "- [x] ", "|", "| 1 |\n", "> ```\n", "# ", "\t", "***", "<kbd>", "\r\n", "* * *\n",
)  # fmt: skip
ANSWERS = st.lists(st.sampled_from((*FRAGMENTS, *MORE)), min_size=1, max_size=40).map("".join)
LIVE = re.compile(r"<(?:[@#][A-Z0-9]|(?i:!(?:here|channel|everyone|subteam|date)|https?:))")


def letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)


def read(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """All words that a reader of Markdown finds, and the links as where they lead and what they say."""
    said, links = "", []
    for block in READER.parse(markdown):
        said += block.content if block.type in ("fence", "code_block") else ""
        href, label = "", ""
        for token in block.children or ():
            if token.type == "link_open":
                href, label = str(token.attrs["href"]), ""
            elif token.type == "link_close":
                links.append((href, label))
                said += href if label != href else ""
                href = ""
            elif token.type == "image":
                links.append((str(token.attrs["src"]), "an image"))
            else:
                label += token.content
            said += token.content
    return said, links


@settings(max_examples=300)
@given(ANSWERS, st.data())
@example("Use `<think>` and `", None)
@example("The user asks.\n</think>\n\nFour.", None)
def test_what_was_appended_is_never_taken_back(answer: str, data: st.DataObject | None) -> None:
    places = range(len(answer)) if data is None else [data.draw(st.integers(0, len(answer))) for _ in range(4)]
    shown = ""
    for place in sorted(places):
        now = stream_text(answer[:place], final=False)
        assert now.startswith(shown)
        shown = now
    assert stream_text(answer, final=True).startswith(shown)


@settings(max_examples=300)
@given(ANSWERS, st.booleans())
def test_nothing_calls_and_no_link_lies(answer: str, final: bool) -> None:  # noqa: FBT001
    shown = stream_text(answer, final=final)
    assert not LIVE.search(shown)
    assert "<" not in re.sub(r"\\.|```.*?(?:```|\Z)|(`+).+?\1", "", shown, flags=re.DOTALL)
    for href, label in read(shown)[1]:
        assert href.startswith(("http://", "https://"))
        assert label == "an image" or "b.example" not in label or "b.example" in href
        assert (
            any(span.url for span in spans(f"[{html.escape(label).replace('`', '')}]({html.unescape(href)})"))
            or not label
        )


@settings(max_examples=300)
@given(ANSWERS)
def test_no_word_is_lost(answer: str) -> None:
    leaves = document(visible(answer, keeps=True))
    meant = "".join(
        leaf.content
        if leaf.kind == "code"
        else " ".join(map(bare, (*sum(leaf.rows, ()), "" if leaf.rows else leaf.content)))
        for leaf in leaves
    )
    found = iter(letters(read(stream_text(answer, final=True))[0]))
    assert all(letter in found for letter in letters(TAG.sub("", html.unescape(meant))))


def test_words_come_before_their_line_is_over() -> None:
    text = "A paragraph that is long, with **bold words** and `code` in it, and more wor"
    assert stream_text(text, final=False) == text
    assert stream_text(text + "ds *and", final=False) == text + "ds"
    assert stream_text("- an item, and", final=False) == "- an item, and"
    assert stream_text("```py\nx = 1\ny =", final=False) == "```py\nx = 1"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("# Title\nwords", "# Title\nwords"),
        ("one\ntwo\n---\nthree", "one\ntwo\n\n---\n\nthree"),
        ("1. a\n   ```py\n   x < y\n   ```\n2. b", "1. a\n\n```py\nx < y\n```\n\n2. b"),
        ("Compute:\n\n    x = a*b*c\n\nDone.", "Compute:\n\n```\nx = a*b*c\n```\n\nDone."),
        ("~~~\n```\n~~~", "\\`\\`\\`"),
        ("a <!channel> & <b>c</b>", "a &lt;!channel&gt; &amp; **c**"),
        ("**重点：**字", "**重点**：字"),
        ("[^1] is told below\n\n[^1]: here", "\\[^1] is told below\n\n\\[^1]: here"),
        ("- [ ] a\n- [x] b", "- ☐ a\n- ☑ b"),
        ("> a\n> ```\n> b\n> ```\nc", "> a\n\n```\nb\n```\n\nc"),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 |", "| a | b |\n| --- | --- |\n| 1 | 2 \\| 3 |"),
        ("| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |", "| a |\n| --- |\n| 1 |\n\n```\nb\n2\n```"),
        ("$$\na = b\n$$", "```latex\na = b\n```"),
        ("Euler: $e^{i\\pi}$, for $5 and $6", "Euler: `e^{i\\pi}`, for $5 and $6"),
        ("```\n<@U123ABC> <#default>\n```", "```\n<\u2060@U123ABC> <#default>\n```"),
        ("[b.example](https://a.example)", "b.example ([https://a.example](https://a.example))"),
        ("see https://a.example/x_y_z.", "see https://a.example/x_y_z."),
        ("(https://a.example/x_y)", "([https://a.example/x_y](https://a.example/x_y))"),
        ("<think>hm</think>Yes.", "Yes."),
        ("```\nopen", "```\nopen\n```"),
    ],
)
def test_each_form_is_written_so_that_slack_reads_it(answer: str, shown: str) -> None:
    assert stream_text(answer, final=True) == shown


@pytest.mark.parametrize("piece", ["word ", "[", "`", "a`b``c ", "**a ", "<b>", "| a | b |\n", "| a |\n|---|\n", "a\n", "$x ", "&", "\\(", "> ", "- ", "https://", "```\n", "    x\n", "**重点：**字", "![a](", "_"])  # fmt: skip
def test_time_is_linear(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    started = time.process_time()
    stream_text(text, final=True)
    assert time.process_time() - started < 1.5  # five times what it takes where nothing else runs
