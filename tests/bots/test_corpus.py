"""Sixty answers as each platform is shown them. `pytest tests/bots/test_corpus.py --rewrite` writes what is expected."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.discord import markdown as discord
from bots.slack import markdown as slack
from bots.slack.streamed import streamed
from sandbox.slack.blocks import Surface, block_problems

ANSWERS = sorted((Path(__file__).parents[1] / "data" / "answers").glob("*.md"))


def in_discord(answer: str) -> Iterator[str]:
    for number, page in enumerate(discord.pages(answer), 1):
        yield f"=== message {number}\n{page}\n"


def in_slack(answer: str) -> Iterator[str]:
    """Each block, and each part of rich text, on a line of its own."""
    for number, page in enumerate(slack.pages(answer), 1):
        blocks = json.loads(page)
        assert not block_problems(blocks, Surface.MESSAGE)
        yield f"=== message {number}\n"
        for block in blocks:
            is_rich = block["type"] == "rich_text"
            yield from (
                f"{json.dumps(part, ensure_ascii=False)}\n" for part in (block["elements"] if is_rich else [block])
            )


def in_a_stream(answer: str) -> Iterator[str]:
    for number, page in enumerate(slack.pages(answer, are_streams=True), 1):
        yield f"=== message {number}\n{streamed(page, is_open=False).text}\n"


FORMS = {"discord": in_discord, "slack": in_slack, "stream": in_a_stream}


def test_there_are_sixty_in_seven_languages() -> None:
    assert len(ANSWERS) >= 60
    assert {answer.name[:2] for answer in ANSWERS} >= {"en", "de", "es", "fr", "ru", "zh", "ja"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.stem)
def test_an_answer_looks_as_it_did_when_it_was_looked_at(
    answer: Path, form: str, request: pytest.FixtureRequest
) -> None:
    shown = "".join(FORMS[form](answer.read_text()))
    expected = answer.parent / form / f"{answer.stem}.txt"
    if request.config.getoption("--rewrite"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(shown)
    assert shown == expected.read_text()
