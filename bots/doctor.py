"""Looks whether Bobbin can work as it is set up, and says what to do where it can't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots import platforms
from core.errors import BobbinError, TokenRefused, UpstreamError
from core.storage.database import open_database, readable
from core.storage.ledger import Ledger
from core.storage.migrate import is_current
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    part: str
    is_well: bool
    sentence: str  # what was found; where it isn't well, what to do


async def examine() -> int:
    """Print what is found; return 0 when all is well, 1 when something is not."""
    try:
        settings = platforms.settings()
    except BobbinError as error:
        print(f"✗ settings: {error.sentence}")
        return 2
    well = True
    async for finding in _findings(settings):
        print(f"{'✓' if finding.is_well else '✗'} {finding.part}: {finding.sentence}", flush=True)
        well = well and finding.is_well
    return 0 if well else 1


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding("settings", is_well=True, sentence="every one can be read")
    yield await _database(settings)
    yield await _upstream(settings)
    for name in platforms.names():
        yield await _platform(settings, name)


async def _database(settings: Settings) -> Finding:
    url = settings.database.url.get_secret_value()
    try:
        database = open_database(url)
        try:
            await Ledger(database).check()
            current = await is_current(database)
        finally:
            await database.close()
    except BobbinError as error:
        return Finding(
            "database",
            is_well=False,
            sentence=f"{readable(url)}: {error.sentence} Is it running, and is BOBBIN_DATABASE__URL right?",
        )
    state = "its schema is this version's" if current else "its schema is brought up to date at the next start"
    return Finding("database", is_well=True, sentence=f"{readable(url)} answers; {state}")


async def _upstream(settings: Settings) -> Finding:
    token = settings.upstream.token.get_secret_value()
    if not token:
        return Finding(
            "upstream",
            is_well=False,
            sentence="no token; set BOBBIN_UPSTREAM__TOKEN to one from platform.acedata.cloud",
        )
    model = settings.named_presets["default"].model or ""
    try:
        async with Upstream(settings.upstream.url, token) as upstream:
            await upstream.answer(Prompt(model=model, question="Say OK.", stateful=False))
    except TokenRefused as error:
        return Finding(
            "upstream", is_well=False, sentence=f"{settings.upstream.url} refuses the token ({error}); make a new one"
        )
    except UpstreamError as error:
        return Finding(
            "upstream", is_well=False, sentence=f"{settings.upstream.url} did not answer a question to {model}: {error}"
        )
    return Finding("upstream", is_well=True, sentence=f"{settings.upstream.url} answers, with {model}")


async def _platform(settings: Settings, name: str) -> Finding:
    section = settings.section(name)
    if not section.is_configured:
        return Finding(name, is_well=True, sentence="not set up, so it is left out")
    try:
        sentence = await platforms.platform(name).check(section)
    except BobbinError as error:
        return Finding(name, is_well=False, sentence=error.sentence)
    return Finding(name, is_well=True, sentence=sentence)
