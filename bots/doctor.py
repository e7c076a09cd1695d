"""Looks whether Bobbin can work as it is set up, and says what to do where it can't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots import platforms
from core.errors import BobbinError, SetupError, StorageUnavailable, TokenRefused, UpstreamError, UsedUp
from core.redactor import Redactor
from core.settings import NO_KEY, proxy_for
from core.storage.database import open_database, readable
from core.storage.ledger import Ledger
from core.storage.migrate import is_current
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    part: str
    is_well: bool
    sentence: str  # what was found; where it isn't well, what to do


async def examine(file: Path | None = None) -> int:
    """Print what is found; return 0 when all is well, 1 when something is not, 2 when the settings can't be read."""
    try:
        settings = platforms.settings(file)
    except BobbinError as error:
        print(f"✗ settings: {error.sentence}")
        return 2
    redactor = Redactor(settings.secrets)  # others' words, which we repeat, may have a token in them
    well = True
    async for finding in _findings(settings):
        print(f"{'✓' if finding.is_well else '✗'} {finding.part}: {redactor.over(finding.sentence)}", flush=True)
        well = well and finding.is_well
    return 0 if well else 1


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding("settings", is_well=True, sentence=f"read from {settings.origin}")
    url = settings.database.url.get_secret_value()
    try:
        is_newest = await _has_newest_schema(url)
    except StorageUnavailable as error:
        todo = f"{readable(url)}: {error.sentence} Is it running, and is BOBBIN_DATABASE__URL right?"
        yield Finding("database", is_well=False, sentence=todo)
    except SetupError as error:
        yield Finding("database", is_well=False, sentence=error.sentence)
    else:
        schema = "its schema is this version's" if is_newest else "its schema is brought up to date at the next start"
        yield Finding("database", is_well=True, sentence=f"{readable(url)} answers; {schema}")
        if settings.is_on_postgresql:
            yield await _engine(url, shares_its_work=settings.shares_its_work, is_newest=is_newest)
    if settings.lacks_key(platforms.configured(settings)):
        yield Finding("secret key", is_well=False, sentence=NO_KEY)
    async for finding in _upstream(settings):
        yield finding
    for name in platforms.names():
        yield await _platform(settings, name)


async def _has_newest_schema(url: str) -> bool:
    database = open_database(url)
    try:
        await Ledger(database).check()
        return await is_current(database)
    finally:
        await database.close()


async def _engine(url: str, *, shares_its_work: bool, is_newest: bool) -> Finding:
    try:
        await _check_sessions(url)
        if shares_its_work:
            await _can_share(url, is_newest=is_newest)
            return Finding("engine", is_well=True, sentence="processes can share their work on this database")
        await _can_be_alone(url)
    except BobbinError as error:
        return Finding("engine", is_well=False, sentence=error.sentence)
    except ModuleNotFoundError:
        todo = "install what PostgreSQL needs: pip install 'bobbin-bot[postgres]'"
        return Finding("engine", is_well=False, sentence=todo)
    return Finding("engine", is_well=True, sentence="embedded: one process does it all, and no other is at it")


async def _check_sessions(url: str) -> None:
    """Raises SetupError, StorageUnavailable."""
    from core.engine import presence  # noqa: PLC0415  # who runs on SQLite doesn't have what this needs

    await presence.check_sessions(url)


async def _can_share(url: str, *, is_newest: bool) -> None:
    """Raises SetupError, StorageUnavailable."""
    from core.engine import presence  # noqa: PLC0415  # as above
    from core.engine.jobs import Jobs  # noqa: PLC0415

    if is_newest:  # else its tables are still to come
        jobs = Jobs(url)
        jobs.hurry()
        try:
            await jobs.open()
        finally:
            await jobs.close()
    async with presence.sharing(url, patience=0):
        return


async def _can_be_alone(url: str) -> None:
    """Raises SetupError, StorageUnavailable."""
    from core.engine import presence  # noqa: PLC0415  # as above

    if await presence.is_shared(url):
        raise SetupError(
            "engine is embedded here, but other processes share the work of this database by procrastinate: stop them, "
            "or set BOBBIN_ENGINE to the same for all"
        )


async def _upstream(settings: Settings) -> AsyncIterator[Finding]:
    tokens = settings.upstream.every_token
    if not tokens:
        todo = "no token; set BOBBIN_UPSTREAM__TOKEN to one from platform.acedata.cloud"
        yield Finding("upstream", is_well=False, sentence=todo)
    for number, token in enumerate(tokens, 1):
        which = "the token" if len(tokens) == 1 else f"token {number} of {len(tokens)}"
        try:
            finding = await _ask(settings, token, which)
        except UpstreamError as error:
            where = f"{settings.upstream.url} did not answer a question to {_model(settings)}"
            yield Finding("upstream", is_well=False, sentence=f"{where}: {error}")
            return  # it would not answer with the others either
        yield finding


async def _ask(settings: Settings, token: str, which: str) -> Finding:
    """Raises UpstreamError when no answer comes, whatever the token."""
    url, model = settings.upstream.url, _model(settings)
    try:
        async with Upstream(url, token, proxy=proxy_for(url)) as upstream:
            await upstream.answer(Prompt(model=model, question="Say OK.", stateful=False))
    except TokenRefused as error:
        return Finding("upstream", is_well=False, sentence=f"{url} refuses {which} ({error}); make a new one")
    except UsedUp as error:
        return Finding("upstream", is_well=False, sentence=f"{which} is used up at {url} ({error}); top it up")
    return Finding("upstream", is_well=True, sentence=f"{url} answers, with {model} and {which}")


def _model(settings: Settings) -> str:
    return settings.named_presets["default"].model or ""


async def _platform(settings: Settings, name: str) -> Finding:
    section = settings.section(name)
    if not section.is_configured:
        return Finding(name, is_well=True, sentence="not set up, so it is left out")
    try:
        sentence = await platforms.platform(name).check(section)
    except BobbinError as error:
        return Finding(name, is_well=False, sentence=error.sentence)
    return Finding(name, is_well=True, sentence=sentence)
