"""What a stream is sent says what the blocks say, and nothing that Slack would act on; more of it is only ever appended."""

from __future__ import annotations

import html
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bots.slack import markdown
from bots.slack.limits import STREAM_BYTES
from bots.slack.streamed import streamed

MARKS = [
    "<!channel>",
    "<@U1>",
    "<#C1>",
    "<https://evil.example|bank.com>",
    "[bank.com](https://evil.example)",
    "&lt;!here&gt;",
]
MARKS += [
    "`",
    "``",
    "```",
    "~~~",
    "**",
    "*",
    "_",
    "~~",
    "[",
    "](",
    ")",
    "<",
    ">",
    "&",
    "\\",
    "#",
    "- ",
    "1. ",
    "> ",
    "|",
    "\n",
    "\n\n",
]
MARKS += [
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "---\n",
    "https://example.com/a_b",
    "word",
    " ",
    "日本語",
    "é",
    "🙂",
    "`<!here>`",
    "!",
]
answers = st.lists(st.sampled_from(MARKS) | st.text("ab \n", max_size=6), max_size=40).map("".join)

CALLS = re.compile(r"<[@#!]|<[a-z]+:", re.IGNORECASE)
_READER = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])


def whole(answer: str) -> list[str]:
    return markdown.pages(answer, are_streams=True)


def links(blocks: Any) -> set[str]:
    """The addresses that a page leads to."""
    if isinstance(blocks, list):
        return set().union(*map(links, blocks), set())
    if not isinstance(blocks, dict):
        return set()
    own = {blocks["url"]} if blocks.get("type") == "link" else set()
    return own.union(*(links(value) for value in blocks.values()))


def led_to(text: str) -> set[str]:
    """Where a reader of Markdown is led by marks."""
    tokens = [child for token in _READER.parse(text) for child in token.children or ()]
    return {html.unescape(str(token.attrs["href"])) for token in tokens if token.type == "link_open"}


def letters(text: str) -> str:
    return "".join(sign for sign in html.unescape(text) if sign.isalpha())


def addressed(urls: set[str]) -> set[str]:
    quoted = str.maketrans({"(": "%28", ")": "%29", "|": "%7C"})
    return {_READER.normalizeLink(url.translate(quoted)) for url in urls}


@settings(max_examples=600, deadline=None)
@given(answers)
@example("```\n<!channel>\n```")
@example("a `<https://evil.example|x>` b")
@example("[a](https://example.com/(b)|c)")
@example("| <!here> | `<@U1>` |\n|---|---|\n| a\\|b | c |")
def test_nothing_calls_anybody_or_leads_elsewhere_and_no_word_is_lost(answer: str) -> None:
    for page in whole(answer):
        said = streamed(page, is_open=False).text
        assert not CALLS.search(said)
        assert led_to(said) <= addressed(links(json.loads(page)))
        words = markdown.words(json.loads(page))
        assert not Counter(letters(words)) - Counter(letters(said))
        assert not re.search(r"^\\s*[*+] ", said, re.MULTILINE)


@settings(max_examples=200, deadline=None)
@given(answers)
def test_what_is_open_is_a_part_of_what_calls_nobody(answer: str) -> None:
    for page in markdown.pages(answer, streaming=True, are_streams=True):
        assert not CALLS.search(streamed(page, is_open=True).text)


SAMPLES = {
    "words": "Because it was **late**, and *dark*, and `code` was near. See [the page](https://example.com/a_(b)).\n\nMore.",
    "lists": "Some things:\n\n1. one\n2. two with **bold**\n   and more\n   - nested\n   - other\n\n- [x] done\n- [ ] not\n\nEnd.",
    "quote": "> somebody *said*\n> that\n\nand 2 * 3 * 4 is snake_case_word.",
    "table": "Look:\n\n| a | b |\n|---|---|\n| 1 | `x` |\n| **2** | 3 |\n\nThat is it.",
    "code": 'Run this:\n\n```python\nprint("a & b < c")\nx = `1`\n```\n\n## Then\n\n---\n\nand `that`.',
    "table first": "| a | b |\n|---|---|\n| 1 | `x` |\n| **2** | 3 |\n\nThat is it.",
    "rule first": "***\n\nWords that follow the rule, and more.",
    "formulas": "The sum \\(a_1 + b\\) is $x^2$, or $$y$$, for $5 or $6.\n\nNo more.",
    "escapes": "Not \\*bold\\*, a &lt; b &amp; c.\\\nNext <details>\n\nWords.\n\n</details>",
    "heading": "# See [the page](https://example.com) and https://example.org/x\n\nWords, and https://example.org/y too.",
    "japanese": "これは**太字**です。詳しくは[こちら](https://example.com/)。\n\n- 一\n- 二\n",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_growing_answer_is_appended_to_and_never_rewritten(name: str) -> None:
    answer, appended = SAMPLES[name], ""
    for length in range(1, len(answer) + 1):
        for page in markdown.pages(answer[:length], streaming=True, are_streams=True):
            said = streamed(page, is_open=True).text
            assert said.startswith(appended) or appended.startswith(said)
            appended = max(appended, said, key=len)
    (page,) = whole(answer)
    end = streamed(page, is_open=False)
    assert end.is_exact
    assert end.text.startswith(appended)
    assert len(appended) > len(end.text) / 2


def test_long_text_in_any_script_has_room_in_a_stream() -> None:
    texts = ["words and words. " * 3_000, "日本語の文章です。" * 3_000, "*_`[<&>" * 3_000, "- item & more\n" * 3_000]
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    for text in (*texts, readme * 3, "```\n" + "日本語\n" * 5_000):
        for page in whole(text):
            assert len(streamed(page, is_open=False).text.encode()) <= STREAM_BYTES


def test_a_page_is_soon_written() -> None:
    pages = [page for text in ("*a* [" * 20_000, "`" * 20_000, "a_b " * 20_000, "<!" * 20_000) for page in whole(text)]
    began = time.monotonic()
    for page in pages:
        streamed(page, is_open=True)
    assert time.monotonic() - began < 0.05 * len(pages)
