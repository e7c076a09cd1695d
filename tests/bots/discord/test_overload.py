"""More than there is room for is refused, and nothing is left waiting for an answer that nobody gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.quota import Quota
from core.storage.intake import Bounds
from tests.bots.discord.test_commands import told

if TYPE_CHECKING:
    from tests.bots.discord.conftest import House


async def test_a_command_that_is_refused_in_silence_is_told_so_in_private(house: House) -> None:
    house.ledger._bounds = Bounds(quota=Quota(1, 10, 10))
    async with house.listening():
        await house.asked()
        for _ in range(3):
            await house.discord.slash("ada", "general", "ask", question="why?")
        first, *others = house.discord.interactions
        await house.discord.wait_for(lambda: first.thinking)  # its refusal is shown as an answer is
        for one in others:
            assert "a question open" in await told(house, one)
            assert one.ephemeral
        assert len(house.woken) == 2
