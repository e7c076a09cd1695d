"""The command line."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import BobbinError, SetupError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from core.settings import Settings
    from sandbox.upstream import Emulator

WRONG_SETUP = 2  # exit code

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bobbin answers questions in Slack and Discord threads with an AI model.",
)


def main() -> None:
    """Run the command that the command line names."""
    app()


@app.command()
def run(
    only: Annotated[
        list[str] | None, typer.Option(help="Do only this part: slack, discord, worker; several are given one by one.")
    ] = None,
    shards: Annotated[str, typer.Option(help="Of Discord's shards, run these: 0,1")] = "",
    shard_count: Annotated[int | None, typer.Option(help="How many shards there are in all.", min=1)] = None,
) -> None:
    """Run every platform that has tokens. With none, start the sandbox."""
    from bots import platforms  # noqa: PLC0415  # the libraries of a platform take a second to load

    with _plainly():
        settings = platforms.settings(**_sharding(shards, shard_count))
        names = platforms.configured(settings)
        if only:
            _need_tokens(settings, only)
        if not names:
            wanted = " or ".join(f"BOBBIN_{name.upper()}__…" for name in platforms.names())
            print(
                f"No platform has a token ({wanted}), so this is the sandbox: nothing leaves this machine.\n",
                flush=True,
            )
            _sandbox(settings, script=None)
            return
        _log(settings)
        from bots.app import Bobbin  # noqa: PLC0415

        bobbin = Bobbin(settings, names, only or ())
        _until_signalled(bobbin.run)


@app.command()
def sandbox(
    script: Annotated[
        Path | None, typer.Option(help="Play this conversation and end.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Try Bobbin with a local Slack, a local Discord and an emulated AI service. No token, no account."""
    from bots import platforms  # noqa: PLC0415

    with _plainly():
        _sandbox(platforms.settings(), script.read_text() if script else None)


@app.command()
def upstream(
    port: Annotated[int, typer.Option(help="Where to listen.", min=0, max=65535)] = 8081,
    host: Annotated[str, typer.Option(help="On which address.")] = "127.0.0.1",
    pace: Annotated[float, typer.Option(help="Seconds between two pieces of an answer.", min=0)] = 0.03,
    faults: Annotated[str, typer.Option(help="What goes wrong: NAME[=VALUE],… ; `help` lists them.")] = "",
) -> None:
    """Serve the AI service's API locally: an emulator to try and test with."""
    from sandbox import upstream as emulator  # noqa: PLC0415

    if faults == "help":
        print(emulator.explain())
        return
    with _plainly():
        try:
            emulated = emulator.Emulator(pace=pace, faults=faults)
        except emulator.UnknownFault as error:
            raise SetupError(str(error)) from error
        _until_signalled(lambda stop: _serve_upstream(emulated, host, port, stop))


@app.command()
def doctor() -> None:
    """Check settings, database, tokens and the AI service; say what to do about what is wrong."""
    from bots.doctor import examine  # noqa: PLC0415

    raise typer.Exit(asyncio.run(examine()))


@app.command(name="migrate")
def migrate_() -> None:
    """Bring the database to this version's schema. `run` does so as well."""
    from bots import platforms  # noqa: PLC0415
    from core.storage.database import open_database, readable  # noqa: PLC0415
    from core.storage.migrate import migrate  # noqa: PLC0415

    async def bring() -> None:
        database = open_database(url)
        try:
            await migrate(database)
        finally:
            await database.close()

    with _plainly():
        url = platforms.settings().database.url.get_secret_value()
        try:
            asyncio.run(bring())
        except StorageUnavailable as error:
            raise SetupError(
                f"{readable(url)} can't be reached. Is it running, and is BOBBIN_DATABASE__URL right?"
            ) from error
        print(f"{readable(url)} is up to date.")


@app.command()
def manifest(platform: Annotated[str, typer.Argument(help="slack, discord")]) -> None:
    """Print what to give the platform to set Bobbin up there."""
    from bots import platforms  # noqa: PLC0415

    with _plainly():
        if platform not in platforms.names():
            raise SetupError(f"There is no platform {platform!r}; known are {', '.join(platforms.names())}.")
        print(platforms.platform(platform).manifest(platforms.settings().section(platform)))


def _sharding(shards: str, shard_count: int | None) -> dict[str, dict[str, object]]:
    wanted: dict[str, object] = {}
    if shards:
        wanted["shards"] = shards.split(",")
    if shard_count is not None:
        wanted["shard_count"] = shard_count
    return {"discord": wanted} if wanted else {}


def _need_tokens(settings: Settings, parts: list[str]) -> None:
    """Raise SetupError for parts that lack a platform's tokens: whoever names parts does not want the sandbox."""
    from bots import platforms  # noqa: PLC0415

    there = platforms.configured(settings)
    for part in parts:
        if part in there or (there and part not in platforms.names()):
            continue
        lacking = [part] if part in platforms.names() else platforms.names()
        tokens = ", ".join(name for one in lacking for name in settings.secrets_of(one))
        raise SetupError(
            f"--only {part}: {' or '.join(lacking)} has no tokens here; bobbin.toml says which to set of {tokens}."
        )


def _sandbox(settings: Settings, script: str | None) -> None:
    from sandbox.terminal import play  # noqa: PLC0415

    # What goes wrong is to be seen in the conversation; only faults of Bobbin's own belong between its lines.
    _log(settings.model_copy(update={"log": settings.log.model_copy(update={"level": "ERROR"})}))
    _until_signalled(lambda stop: play(settings, script, stop))


async def _serve_upstream(emulator: Emulator, host: str, port: int, stop: asyncio.Event) -> None:
    try:
        await emulator.start(host=host, port=port)
    except OSError as error:
        raise SetupError(
            f"Port {port} can't be opened: {os.strerror(error.errno or 0)}. Name another: --port."
        ) from error
    print(f"The emulated AI service listens on {emulator.url} (Ctrl-C ends it).", flush=True)
    try:
        await stop.wait()
    finally:
        await emulator.stop()


def _log(settings: Settings) -> None:
    from core.vitals import set_up_log  # noqa: PLC0415

    set_up_log(settings.log.level, as_json=settings.log.format == "json", secrets=settings.secrets)


def _until_signalled(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run *work* with an event that SIGTERM and Ctrl-C set. A second signal of either kind ends the process at once."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def ask_to_stop() -> None:
            for number in numbers:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL)  # the next one ends the process, whatever it is at
            stop.set()

        for number in numbers:
            loop.add_signal_handler(number, ask_to_stop)
        await work(stop)

    asyncio.run(run())


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in a sentence what can't work, without a traceback."""
    try:
        yield
    except BobbinError as error:
        print(error.sentence, file=sys.stderr)
        raise typer.Exit(WRONG_SETUP) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
