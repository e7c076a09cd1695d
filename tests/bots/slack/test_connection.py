"""A Slack that ends its connections is not stormed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from core.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.bots.slack.conftest import House


async def test_a_server_that_closes_after_hello_is_met_with_growing_pauses(house: House) -> None:
    house.have_times(reach=Backoff(first=0.01, longest=0.3, jitter=0.0, well_after=60.0), look=0.5)

    async def hang_up() -> None:
        while True:
            await house.slack._sockets.close()
            await asyncio.sleep(0)

    hanging_up = asyncio.create_task(hang_up())
    with capture_logs() as logs:
        listening = asyncio.create_task(house.chat.listen(house.relay))
        await house.until(lambda: len(pauses(logs)) >= 5 or listening.done(), within=20)
    assert pauses(logs)[:5] == [0.01, 0.02, 0.04, 0.08, 0.16]
    await house.until(lambda: house.vitals.troubles)
    hanging_up.cancel()
    await house.slack.say("ada", "general", "@bobbin still there?")
    await house.accepted(within=10)
    listening.cancel()
    await asyncio.gather(listening, hanging_up, return_exceptions=True)


def pauses(logs: list[MutableMapping[str, Any]]) -> list[float]:
    return [one["seconds"] for one in logs if "again and again" in one["event"]]
