from __future__ import annotations

import asyncio

from core.vitals import Vitals


async def test_all_is_well_when_every_part_is_up() -> None:
    vitals = Vitals()
    vitals.expect("database")
    vitals.expect("chat")
    assert vitals.troubles == {"database": "starting", "chat": "starting"}
    well = asyncio.create_task(vitals.well())
    vitals.up("database")
    await asyncio.sleep(0)
    assert not well.done()
    vitals.up("chat")
    await asyncio.wait_for(well, 20)
    vitals.down("chat", "interrupted")
    assert vitals.troubles == {"chat": "interrupted"}
