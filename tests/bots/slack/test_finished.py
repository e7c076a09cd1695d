"""What in Slack may come of a finished answer's buttons, and is malformed. All else: tests/contract/test_finished.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bots.listening.router import NO_SUCH_QUESTION
from bots.reply.page import Wish
from bots.slack.finished import WHY
from core.turn import QuestionKey
from tests.bots.pressed import OnSlack

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House


@pytest.fixture
def platform(house: House) -> OnSlack:
    return OnSlack(house)


async def test_a_form_that_is_none_of_ours_is_skipped(platform: OnSlack) -> None:
    async with platform.house.listening():
        _, answer = await platform.finished()
        form = await platform.form("ada", answer)
        platform.house.slack.views[form]["private_metadata"] = "[1]"
        await platform.house.slack.submit("ada", form, {WHY: {WHY: {"type": "plain_text_input", "value": "x"}}})
        _, other = await platform.finished(await platform.asked("@bobbin and now?"))
    assert platform.words(other) == "Because."
    assert await platform.verdicts() == [("bad", "")]


async def test_an_id_that_is_none_opens_nothing(platform: OnSlack) -> None:
    async with platform.house.listening():
        turn, answer = await platform.finished()
        for malformed in ("x", "slack:T0/C0/1.2", turn.question.key.replace("slack:T", "slack:U")):
            platform.forge(answer, Wish.MORE, QuestionKey(malformed))
            assert not await platform.press("ben", answer, Wish.MORE)
        platform.forge(answer, Wish.MORE, QuestionKey(f"{turn.question.key}/on9_9"))
        assert await platform.press("ben", answer, Wish.MORE, told=1) == [NO_SUCH_QUESTION]
