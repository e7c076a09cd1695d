"""Looks at everything that Bobbin needs, and says what to do about what is wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bots import platforms
from bots.database import USUAL
from bots.doctor import database, door, upstream
from bots.finding import LIMIT, Check, Finding, Verdict, side_by_side
from core.errors import BobbinError
from core.redactor import Redactor
from core.settings import NO_KEY, strays

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from core.settings import Settings


async def examine(
    file: Path | None = None, *, limit: float = LIMIT, hearing: float = USUAL.hearing, **given: Any
) -> int:
    """Print what is found; return 0 when nothing is wrong, 1 when something is, 2 when the settings can't be read.

    A check may take *limit* seconds, and PostgreSQL's own connections *hearing* to tell each other something. See
    platforms.settings for what else may be *given*.
    """
    try:
        settings = platforms.settings(file, **given)
    except BobbinError as error:
        for sentence in error.sentence.splitlines():
            print(f"{Verdict.WRONG.value} settings: {sentence}")
        return 2
    redactor = Redactor(settings.secrets)  # others' words, which we repeat, may have a token in them
    wrong = 0

    def tell(part: str, finding: Finding) -> None:
        nonlocal wrong
        wrong += finding.verdict is Verdict.WRONG
        print(f"{finding.verdict.value} {part}: {redactor.over(finding.sentence)}", flush=True)

    tell("settings", Finding(f"OK (from {settings.origin})"))
    await side_by_side(_checks(settings, hearing), tell, limit)
    return 1 if wrong else 0


def _checks(settings: Settings, hearing: float) -> dict[str, Check]:
    names = platforms.names()
    checks: dict[str, Check] = {"database": partial(database.check, settings)}
    if settings.is_on_postgresql:
        checks["engine"] = partial(database.check_engine, settings, hearing)
    if settings.lacks_key(platforms.configured(settings)):
        checks["secret key"] = _lacks_key
    checks["upstream"] = partial(upstream.check, settings)
    checks["web"] = partial(door.check, settings)
    if not platforms.configured(settings):
        checks["platforms"] = partial(_nobody_can_ask, settings)
    return checks | {name: partial(_platform, settings, name) for name in names}


async def _lacks_key() -> AsyncGenerator[Finding, None]:
    yield Finding(NO_KEY, Verdict.WRONG)


async def _nobody_can_ask(settings: Settings) -> AsyncGenerator[Finding, None]:
    yield Finding(platforms.why_none(settings)[0], Verdict.WRONG)


async def _platform(settings: Settings, name: str) -> AsyncGenerator[Finding, None]:
    section = settings.section(name)
    if not section.is_configured:
        in_vain = strays(settings, name)
        for sentence in in_vain:
            yield Finding(f"not configured, skipped; {sentence}", Verdict.ADVICE)
        if not in_vain:
            yield Finding("not configured, skipped")
        return
    async for finding in platforms.platform(name).check(section):
        yield finding
