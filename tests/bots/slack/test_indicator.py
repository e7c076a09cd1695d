"""The sign on a question: nothing that Slack refuses once switches it off for good."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bots.slack.api import Api
from bots.slack.indicator import REST, Indicator
from bots.slack.pace import Pace
from sandbox.slack.faults import Failure
from tests.bots.slack.conftest import House


@pytest.mark.parametrize("code", ["missing_scope", "token_revoked", "access_denied", "invalid_auth"])
async def test_signs_come_back_when_slack_takes_them_again(house: House, code: str) -> None:
    now = 1000.0
    asked = [await house.slack.say("ada", "general", f"question {number}") for number in range(4)]
    api = Api(house.section, Pace())
    indicator = Indicator(api, clock=lambda: now)
    house.slack.faults.fail("reactions.add", Failure(error=code))

    async def put_on(number: int) -> None:
        indicator.on(asked[number].channel, asked[number].ts)
        await asyncio.sleep(0)

    async with api.session():
        with capture_logs() as logs:
            running = asyncio.create_task(indicator.run())
            await put_on(0)
            await house.until(lambda: house.calls("reactions.add") == 1)
            await house.until(lambda: logs)
            await put_on(1)  # Slack would say the same of this one, and is not asked
            now += REST
            await put_on(2)
            await house.until(lambda: house.slack.messages("general", asked[2].ts)[0].reactions)
            await house.until(lambda: len(logs) == 2)
            await put_on(3)
            await house.until(lambda: house.slack.messages("general", asked[3].ts)[0].reactions)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert house.calls("reactions.add") == 3
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]
    assert logs[0]["code"] == code
