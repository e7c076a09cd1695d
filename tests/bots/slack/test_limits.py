"""Answers in any script arrive whole, in whichever clothes Slack takes them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from sandbox.slack import Failure, Message, shown
from tests.answers import KINDS, LENGTHS, answer, words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.turn import Turn
    from tests.bots.slack.conftest import House

# What is seen by its look, and not by its mark.
READ = re.compile("^#+ |(?<=```)py", re.MULTILINE)
REFUSED = Failure(error="invalid_blocks")


@pytest.fixture
async def turns(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Turn]]:
    """One for each length; how fast Slack lets us write is not of interest here."""
    house.slack.installation.scopes.discard("reactions:write")
    monkeypatch.setattr("bots.bucket.Bucket.wait_for", lambda *_: 0.0)
    monkeypatch.setattr("bots.slack.window.Window.wait", lambda *_, **__: 0.0)
    monkeypatch.setattr("bots.slack.pace.Pace._wait", lambda *_: 0.0)
    house.slack.limits.enforced = False
    house.most_pages = 100
    house.chat = house.build()
    async with house.listening():
        for _ in LENGTHS:
            await house.slack.say("ada", "general", "@bobbin why?")
        yield [turn.start("model-a") for turn in await house.accepted(len(LENGTHS))]


def said(messages: list[Message]) -> str:
    """What a person reads in all of them; a bare message has nothing but its `text`."""
    return "".join(html.unescape(message.text) if not message.blocks else shown(message) for message in messages)


def refusals(house: House) -> list[str]:
    return [
        str(call.answer["error"])
        for call in house.slack.calls
        if call.method.startswith("chat.") and not call.answer["ok"]
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("refused", [0, 1, 2], ids=["blocks", "plain", "bare"])
async def test_an_answer_arrives_whole(house: House, turns: list[Turn], kind: str, refused: int) -> None:
    for length, asked in zip(LENGTHS, turns, strict=True):
        turn, text = asked, answer(kind, length)
        house.slack.faults.fail("chat.postMessage", REFUSED, times=refused)
        for step in (1, 4):
            turn = turn.grow(text[: len(text) * step // 5])
            turn = turn.replied(await house.chat.show(turn))
        house.slack.faults.fail("chat.update", REFUSED, times=refused)  # the whole is tried in full dress
        await house.chat.show(turn.finish(text))
        messages = house.replies(turn)
        assert [bool(message.blocks) for message in messages] == [refused < 2] * len(messages)
        # A table or a piece of code that goes on says its head again, so there all of the answer is there at least.
        whole, seen = words(text if refused else READ.sub("", text)), words(said(messages))
        assert whole == seen if kind not in ("tables", "fences") else is_within(whole, seen)
    assert refusals(house) == ["invalid_blocks"] * refused * 2 * len(LENGTHS)


async def test_a_full_page_has_room_for_what_stands_below(house: House, turns: list[Turn]) -> None:
    for turn, kind in zip(turns, ("headings", "fences", "angles", "chinese"), strict=True):
        text = answer(kind, 12_000)
        over = turn.grow(text).fail("Причина < & >. " * 10).remark("Слово < & >. " * 200)
        await house.chat.show(over)
        assert is_within(words(READ.sub("", text)), words(said(house.replies(turn))))
    assert not refusals(house)


def is_within(words: str, text: str) -> bool:
    """Whether *text* has all *words*, in order."""
    letters = iter(text)
    return all(letter in letters for letter in words)
