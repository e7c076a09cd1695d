"""The command line."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

import bots
from core.errors import BobbinError, SetupError, StorageUnavailable, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import FrameType

    from core.settings import Settings
    from sandbox.upstream import Emulator

WRONG_SETUP = 2  # exit code


def _platforms() -> list[str]:
    from bots import platforms  # noqa: PLC0415

    return platforms.names()


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Bobbin answers questions in Slack and Discord threads with an AI model.",
)


def main() -> None:
    """Run the command that the command line names."""
    if os.getpid() == 1:
        # Until `run` listens to them: the kernel spares this process the default of every signal.
        signal.signal(signal.SIGTERM, _end_at_once)
    app(prog_name="bobbin")


def _say_version(wanted: bool) -> None:  # noqa: FBT001  # as typer calls it
    if wanted:
        print(f"bobbin {bots.__version__}")
        raise typer.Exit


@app.callback()
def bobbin(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read settings from here (or set BOBBIN_CONFIG), not ./bobbin.toml."),
    ] = None,
    version: Annotated[  # noqa: ARG001, FBT002  # typer's way
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Take what stands before the command."""
    context.obj = config


@app.command()
def run(
    context: typer.Context,
    only: Annotated[
        list[str] | None, typer.Option(help="Do only this part: slack, discord, worker; several are given one by one.")
    ] = None,
    shards: Annotated[str, typer.Option(help="Of Discord's shards, run these: 0,1")] = "",
    shard_count: Annotated[int | None, typer.Option(help="How many shards there are in all.", min=1)] = None,
) -> None:
    """Run every platform that has tokens. With none, start the sandbox."""
    from bots import platforms  # noqa: PLC0415  # the libraries of a platform take a second to load

    with _plainly(as_json=_logs_json()):
        settings = platforms.settings(context.obj, **_sharding(shards, shard_count))
        names = platforms.configured(settings)
        if only:
            _need_tokens(settings, only)
        if not names:
            wanted = " or ".join(f"BOBBIN_{name.upper()}__…" for name in platforms.names())
            print(
                f"No platform has a token ({wanted}), so this is the sandbox: nothing leaves this machine.\n"
                f"Settings come from {settings.origin}.\n",
                flush=True,
            )
            _sandbox(settings, script=None)
            return
        from core.storage.database import readable  # noqa: PLC0415

        _log(settings)
        structlog.get_logger(__name__).info(
            "starting",
            version=bots.__version__,
            settings=settings.origin,
            database=readable(settings.database.url.get_secret_value()),
        )
        from bots.app import Bobbin  # noqa: PLC0415

        _until_signalled(Bobbin(settings, names, only or ()).run)


@app.command()
def sandbox(
    context: typer.Context,
    script: Annotated[
        Path | None, typer.Option(help="Play this conversation and end.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Try Bobbin with a local Slack, a local Discord and an emulated AI service. No token, no account."""
    from bots import platforms  # noqa: PLC0415

    with _plainly():
        _sandbox(platforms.settings(context.obj), script.read_text() if script else None)


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
def doctor(context: typer.Context) -> None:
    """Check settings, database, tokens and the AI service; say what to do about what is wrong."""
    from bots.doctor import examine  # noqa: PLC0415

    raise typer.Exit(asyncio.run(examine(context.obj)))


@app.command(name="migrate")
def migrate_(context: typer.Context) -> None:
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
        url = platforms.settings(context.obj).database.url.get_secret_value()
        try:
            asyncio.run(bring())
        except StorageUnavailable as error:
            raise SetupError(
                f"{readable(url)} can't be reached. Is it running, and is BOBBIN_DATABASE__URL right?"
            ) from error
        print(f"{readable(url)} is up to date.")


@app.command()
def manifest(
    context: typer.Context, platform: Annotated[str, typer.Argument(help="slack, discord", autocompletion=_platforms)]
) -> None:
    """Print what to give the platform to set Bobbin up there."""
    from bots import platforms  # noqa: PLC0415

    with _plainly():
        if platform not in platforms.names():
            raise SetupError(f"There is no platform {platform!r}; known are {', '.join(platforms.names())}.")
        print(platforms.platform(platform).manifest(platforms.settings(context.obj).section(platform)))


@app.command()
def settings() -> None:
    """Print the settings file that comes with Bobbin, which explains them all: a start for your own bobbin.toml."""
    from bots import platforms  # noqa: PLC0415

    print(platforms.SAMPLE.read_text("utf-8"), end="")


@app.command()
def health(context: typer.Context) -> None:
    """Ask the Bobbin that runs here whether it is alive; exit with 1 if it does not say so."""
    from bots import platforms  # noqa: PLC0415
    from bots.health import alive  # noqa: PLC0415

    with _plainly():
        where, is_alive = alive(platforms.settings(context.obj).web)
        print(f"{where}: {'alive' if is_alive else 'no answer'}")
        raise typer.Exit(0 if is_alive else 1)


def _logs_json() -> bool:
    """Is the log JSON, as far as that can be told before the settings are read?"""
    from core.settings import log_section  # noqa: PLC0415

    return log_section().is_json


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
        raise SetupError(f"Can't listen on {host}:{port} ({reason(error)}). Name others: --host, --port.") from error
    print(f"The emulated AI service listens on {emulator.url} (Ctrl-C ends it).", flush=True)
    try:
        await stop.wait()
    finally:
        await emulator.stop()


def _log(settings: Settings) -> None:
    from core.log import set_up_log  # noqa: PLC0415

    set_up_log(settings.log.level, as_json=settings.log.is_json, secrets=settings.secrets)


def _until_signalled(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run *work* with an event that SIGTERM and Ctrl-C set. A second signal of either kind ends the process at once."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    # The default ends a process whatever it is at, but not the first one of a container (pid_namespaces(7)).
    at_once = _end_at_once if os.getpid() == 1 else signal.SIG_DFL

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def ask_to_stop() -> None:
            for number in numbers:
                loop.remove_signal_handler(number)
                signal.signal(number, at_once)
            stop.set()

        for number in numbers:
            loop.add_signal_handler(number, ask_to_stop)
        await work(stop)

    asyncio.run(run())


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)  # as a shell tells of a process that a signal ended


@contextmanager
def _plainly(*, as_json: bool = False) -> Iterator[None]:
    """Say in a sentence what can't work, without a traceback; to a log of JSON in its own form."""
    try:
        yield
    except BobbinError as error:
        if as_json:
            from core.log import set_up_log  # noqa: PLC0415

            set_up_log("ERROR", as_json=True)
            for line in error.sentence.splitlines():
                structlog.get_logger(__name__).error(line)
        else:
            print(error.sentence, file=sys.stderr)
        raise typer.Exit(WRONG_SETUP) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
