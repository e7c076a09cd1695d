from __future__ import annotations

import re
from pathlib import Path

import aiohttp

from bots.web import Web
from core.vitals import Vitals

TOLD = Path(__file__).parents[2] / "docs" / "metrics.md"


async def page(vitals: Vitals) -> str:
    web = Web(vitals)
    async with web.open("127.0.0.1", 0), aiohttp.ClientSession() as client:
        answer = await client.get(f"http://127.0.0.1:{web.port}/metrics")
        assert answer.content_type == "text/plain"
        return await answer.text()


async def test_what_was_counted_is_served() -> None:
    vitals = Vitals()
    vitals.metrics.turns.labels("answered").inc(3)
    assert 'bobbin_turns_total{status="answered"} 3.0' in (await page(vitals)).splitlines()


async def test_two_bots_in_a_process_count_apart() -> None:
    vitals, other = Vitals(), Vitals()
    vitals.metrics.given_up.inc()
    assert "bobbin_shows_given_up_total 0.0" in (await page(other)).splitlines()


async def test_each_metric_is_explained() -> None:
    served = set(re.findall(r"^# TYPE (bobbin_\w+) (?:counter|gauge|histogram)$", await page(Vitals()), re.MULTILINE))
    served = {name for name in served if not name.endswith("_created")}  # the library's own
    assert served == set(re.findall(r"^\| `(bobbin_\w+)", TOLD.read_text(), re.MULTILINE))
