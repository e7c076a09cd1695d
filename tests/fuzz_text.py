"""Shows very many answers that nobody would write on both platforms: `python -m tests.fuzz_text [CASES] [SEED]`.

Each case is made from its number and the seed, so that what is found can be made again. What must hold of each is what
the property tests ask: nothing calls, no link lies, no word is lost, no message is too long, and the stand-in of Slack
refuses none.
"""

from __future__ import annotations

import html
import json
import random
import re
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

from bots.discord import markdown as discord
from bots.discord.limits import CONTENT
from bots.slack import markdown as slack
from bots.slack.buttons import context
from bots.slack.limits import STREAM_BYTES
from bots.slack.streamed import streamed
from bots.text.cut import utf16
from bots.text.document import Kind, document
from bots.text.inline import TAG, spans, words_of
from bots.text.reasoning import visible
from sandbox.slack.blocks import Surface, block_problems
from tests.bots import test_text
from tests.bots.discord import reading, test_markdown
from tests.bots.slack import test_markdown as test_slack
from tests.bots.slack import test_streamed

CASES = 100_000
_A_BATCH = 500
_CORPUS = Path(__file__).parent / "data" / "answers"
_BELOW = [*slack.joined(slack.pages("⚠️ It broke. " * 20)[0]), context("& " * 500), {"type": "divider"}]


@cache
def _fragments() -> tuple[tuple[str, ...], ...]:
    lines = {line + "\n" for answer in sorted(_CORPUS.glob("*.md")) for line in answer.read_text().splitlines()}
    made = (*test_text.FRAGMENTS, *test_markdown.FRAGMENTS, *test_slack.FRAGMENTS, *test_streamed.MARKS)
    signs = tuple("`*_~<>[]()|#-+=:!@&\\$\n  \t1ab.字")
    return made, tuple(sorted(lines)), signs


def answer_of(seed: int, number: int) -> str:
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  # nothing is kept secret by it
    made, lines, signs = _fragments()
    kinds = chance.choice([(made,), (lines,), (signs,), (made, lines), (made, signs), (made, lines, signs)])
    return "".join(chance.choice(chance.choice(kinds)) for _ in range(chance.randint(1, chance.choice((4, 8, 16)))))


def check(answer: str) -> None:
    """Raises AssertionError."""
    meant, links = _meant(answer)
    for streaming in (True, False):
        told, found = "", []
        for page in slack.pages(answer, streaming=streaming):
            blocks = json.loads(page)
            assert not block_problems([*blocks, *_BELOW], Surface.MESSAGE), "Slack refuses it"
            elements = list(test_slack.elements(blocks))
            assert {one["type"] for one in elements} <= {"text", "link", "raw_text"}, "something may call in Slack"
            found += [(one["url"], one.get("text", "")) for one in elements if one["type"] == "link"]
            told += slack.words(blocks)
        _links(found, links)
        assert streaming or _holds(told, meant), "Slack lacks a word"
        told = ""
        for page in discord.pages(answer, streaming=streaming):
            assert utf16(page) <= CONTENT, "too long for Discord"
            for way in reading.INLINE_CODE:
                read = reading.read(page, way)
                assert not read.pings, "it calls in Discord"
                _links([(url, said) for said, url in read.links], links)
            told += page
        assert streaming or _holds(told, meant), "Discord lacks a word"
    _check_stream(answer)


def _check_stream(answer: str) -> None:
    for is_open in (True, False):
        for page in slack.pages(answer, streaming=is_open, are_streams=True):
            said, blocks = streamed(page, is_open=is_open).text, json.loads(page)
            assert len(said.encode()) <= STREAM_BYTES, "too long for a stream"
            assert not test_streamed.CALLS.search(said), "something may call in a stream"
            links = test_streamed.addressed(test_streamed.links(blocks))
            assert test_streamed.led_to(said) <= links, "a link in a stream that nobody meant"
            assert is_open or _holds(html.unescape(said), _letters(html.unescape(slack.words(blocks)))), (
                "a stream lacks a word"
            )


def _meant(answer: str) -> tuple[str, set[str]]:
    """The letters of all that is said, and the addresses that may be led to."""
    said, links = "", set()
    for leaf in document(visible(answer)):
        if leaf.kind is Kind.CODE:
            said += leaf.content
            continue
        for text in (*sum(leaf.rows, ()),) if leaf.rows else (leaf.content,):
            said += words_of(spans(text))
            links |= {span.url for span in spans(text) if span.url}
    return _letters(TAG.sub("", html.unescape(said))), links


def _links(found: list[tuple[str, str]], meant: set[str]) -> None:
    for url, said in found:
        # A page may end inside of an address that is longer than it.
        assert url in meant or said in ("", url), "a link that nobody meant"
        assert "b.example" not in said or "b.example" in url, "a link lies"


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)


def _holds(told: str, meant: str) -> bool:
    rest = iter(_letters(told))
    # What is code for one and a link for another has the same letters in another order.
    return all(letter in rest for letter in meant) or not Counter(meant) - Counter(_letters(told))


def batch(first: int, *, seed: int, last: int) -> list[str]:
    """Return what is wrong with cases from *first* on."""
    wrong = []
    for number in range(first, min(first + _A_BATCH, last)):
        answer = answer_of(seed, number)
        try:
            check(answer)
        except AssertionError as problem:
            wrong.append(f"case {number}: {problem}: {answer!r}")
    return wrong


def run(cases: int, seed: int, *, processes: int = 2) -> list[str]:
    with ProcessPoolExecutor(processes) as pool:
        found = pool.map(partial(batch, seed=seed, last=cases), range(0, cases, _A_BATCH))
        return [problem for each in found for problem in each]


if __name__ == "__main__":
    cases, seed = (int(given) for given in (sys.argv[1:] + [str(CASES), "1"][len(sys.argv) - 1 :])[:2])
    started = time.monotonic()
    wrong = run(cases, seed)
    sys.stdout.write("".join(f"{problem}\n" for problem in wrong[:50]))
    sys.stdout.write(f"{cases:,} cases, {len(wrong)} wrong, in {time.monotonic() - started:,.0f} s\n")
    sys.exit(bool(wrong))
