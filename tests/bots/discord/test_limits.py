"""Answers in any script arrive whole, and what goes with them is within what Discord takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bots.discord import limits
from bots.discord.buttons import row_of
from bots.discord.hands import nonce
from bots.discord.ids import key_of_command
from bots.discord.note import Where
from bots.reply.page import Button, Wish
from bots.reply.wanted import ANSWER_EDITED, SHARE, TRY_AGAIN
from bots.text.cut import utf16
from core.turn import QuestionKey
from tests.answers import KINDS, LENGTHS, answer, words

if TYPE_CHECKING:
    from tests.bots.discord.conftest import House

# A heading is not told by "##" alone, tables are laid out, code says its head again: these have tests of their own.
WHOLE = tuple(kind for kind in KINDS if kind not in ("tables", "fences"))


@pytest.mark.parametrize("kind", WHOLE)
async def test_an_answer_arrives_whole(house: House, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    # How fast Discord lets us write is not of interest here.
    monkeypatch.setattr("bots.discord.pace.Pace._budget", lambda *_: 0.0)
    monkeypatch.setattr(house.discord._limits, "on", False)
    house.most_pages = 100
    house.chat = house.build()
    async with house.listening():
        for length in LENGTHS:
            text = answer(kind, length)
            before = {thread.id for thread in house.discord.threads("general")}
            turn = await house.asked()
            await house.show(turn.start("model-a").finish(text))
            (thread,) = [one for one in house.discord.threads("general") if one.id not in before]
            assert words("".join(message.content for message in house.said(thread))) == words(text)
    refused = [call for call in house.discord.calls if call.status >= 400 and "content" in (call.body or {})]
    assert not refused


def test_a_button_fits() -> None:
    key = QuestionKey(f"discord:{2**63}/{2**63}:{2**63}")
    where = Where(channel=2**63, about=2**63)
    for wanted, asked in ((Button(TRY_AGAIN, 9_999_999), key), (Button(SHARE, 1, Wish.SHARE), key_of_command(2**63))):
        shown = row_of((wanted,), where, asked).to_components()[0]["components"][0]
        assert utf16(shown["custom_id"]) <= limits.CUSTOM_ID
    assert max(map(utf16, (TRY_AGAIN, ANSWER_EDITED, SHARE))) <= limits.BUTTON_LABEL
    assert len(nonce(key, 99)) <= limits.NONCE
