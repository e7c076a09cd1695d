"""Starts what a command names: the bot, the sandbox in its place, or the emulated AI service alone."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog

import bots
from bots import platforms
from bots.signals import until_signalled
from core.errors import SetupError, reason
from core.log import set_up_log
from core.storage.database import readable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.settings import Settings
    from sandbox.upstream import Emulator

PAGE_PORT = 8080  # of the sandbox's page


def run(
    file: Path | None,
    only: Sequence[str],
    *,
    shards: str = "",
    shard_count: int | None = None,
    may_play: bool = True,
    checks: bool = True,
) -> None:
    """Run the bot until signalled; when no platform is configured and it *may_play*, the sandbox. Raises SetupError.

    *checks*: see Bobbin.
    """
    settings = platforms.settings(file, **_sharding(shards, shard_count))
    names = platforms.configured(settings)
    if only:
        _need_tokens(settings, only)
    if not names:
        why = platforms.why_none(settings)
        if not may_play or platforms.are_empty(settings):
            # An empty variable is no wish to play, but a secret that did not arrive.
            if not settings.upstream.every_token:
                why.append("there is no token for the AI service: set BOBBIN_UPSTREAM__TOKEN")
            raise SetupError("\n".join(sentence[0].upper() + sentence[1:] + "." for sentence in why))
        for sentence in why[1:]:
            print(f"{sentence}.")
        print(f"No {platforms.names_for_people()} token is set, so this starts the sandbox.", flush=True)
        sandbox(settings, file)
        return
    _log(settings)
    structlog.get_logger(__name__).info(
        "starting",
        version=bots.__version__,
        settings=settings.origin,
        database=readable(settings.database.url.get_secret_value()),
    )
    with _loading():
        # What is wrong with the settings is said before all this is loaded.
        from bots.app import Bobbin  # noqa: PLC0415

        bobbin = Bobbin(settings, names, only, checks=checks)
    until_signalled(bobbin.run)


@contextmanager
def _loading() -> Iterator[None]:
    """Have what is loaded meanwhile never looked through for garbage: it stays, and to look takes a tenth of a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def sandbox(
    settings: Settings,
    config: Path | None = None,
    *,
    script: Path | None = None,
    in_terminal: bool = False,
    port: int = PAGE_PORT,
) -> None:
    """Serve the page until signalled, and open it in a browser; where there is none, or *in_terminal*, take what is typed.

    With a *script*, play that and end. *config* is the settings file that was named. Raises SetupError.
    """
    from sandbox.rehearsal import rehearse  # noqa: PLC0415
    from sandbox.script import read_file  # noqa: PLC0415

    played = (str(script), read_file(script)) if script else None
    if settings.upstream.every_token:
        print(f"Your questions go to the real AI service ({settings.upstream.url}) and cost credits.")
    else:
        print("Nothing leaves this machine.")
    print(f"Settings come from {settings.origin}.\n", flush=True)
    # The bot's own log is the page's; only faults of the sandbox belong between the lines of a conversation.
    _log(settings.model_copy(update={"log": settings.log.model_copy(update={"level": "ERROR"})}))
    until_signalled(partial(rehearse, settings, config, played, in_terminal=in_terminal, port=port))


def upstream(host: str, port: int, *, pace: float, faults: str) -> None:
    """Serve the AI service's API until signalled. Raises SetupError."""
    from sandbox import upstream as emulator  # noqa: PLC0415

    try:
        emulated = emulator.Emulator(pace=pace, faults=faults)
    except emulator.UnknownFault as error:
        raise SetupError(str(error)) from error
    until_signalled(partial(_serve, emulated, host, port))


async def _serve(emulator: Emulator, host: str, port: int, stop: asyncio.Event) -> None:
    try:
        await emulator.start(host=host, port=port)
    except OSError as error:
        raise SetupError(f"Can't listen on {host}:{port} ({reason(error)}). Name others: --host, --port.") from error
    print(f"The emulated AI service listens on {emulator.url} (Ctrl-C ends it).", flush=True)
    try:
        await stop.wait()
    finally:
        await emulator.stop()


def _sharding(shards: str, shard_count: int | None) -> dict[str, dict[str, object]]:
    """What the options say, for each platform whose connections are shared out like that."""
    wanted: dict[str, object] = {}
    if shards:
        wanted["shards"] = shards
    if shard_count is not None:
        wanted["shard_count"] = shard_count
    return dict.fromkeys(platforms.with_shards(), wanted) if wanted else {}


def _need_tokens(settings: Settings, parts: Sequence[str]) -> None:
    """Raise SetupError for parts that lack a platform's tokens: naming parts means that no sandbox is wanted."""
    there = platforms.configured(settings)
    for part in parts:
        if part in there or (there and part not in platforms.names()):
            continue
        lacking = [part] if part in platforms.names() else platforms.names()
        tokens = ", ".join(name for one in lacking for name in settings.secrets_of(one))
        raise SetupError(
            f"--only {part}: {' or '.join(lacking)} has no tokens here; bobbin.toml says which to set of {tokens}."
        )


def _log(settings: Settings) -> None:
    set_up_log(settings.log.level, as_json=settings.log.is_json, secrets=settings.secrets)
