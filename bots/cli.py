"""The command line: its commands, their options, and how errors are reported."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

import bots
from bots import signals
from core.errors import BobbinError, SetupError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG_SETUP = 2  # exit code
PLATFORMS = bots.platforms_there()

# What a command does is imported by it: the libraries of a platform alone take a second to load.
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # else every flag is shown with a "<bool>" that nobody can write
    help="Bobbin answers questions in chat threads with an AI model.",
)


def main() -> None:
    """Run the command that the command line names."""
    signals.end_while_starting()
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
        typer.Option(metavar="FILE", help="Settings file to use instead of ./bobbin.toml (or set BOBBIN_CONFIG)."),
    ] = None,
    version: Annotated[  # noqa: ARG001, FBT002  # typer's way
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take what stands before the command."""
    context.obj = config


@app.command()
def run(
    context: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART", help=f"Run only this part ({', '.join(PLATFORMS)} or worker). Repeat for several."
        ),
    ] = None,
    shards: Annotated[
        str, typer.Option(metavar="LIST", help="Shards to run, of a platform that has them; for example 0,1")
    ] = "",
    shard_count: Annotated[
        int | None, typer.Option(metavar="N", help="How many shards there are in all.", min=1)
    ] = None,
    no_sandbox: Annotated[  # noqa: FBT002  # typer's way
        bool,
        typer.Option(
            "--no-sandbox",
            help="Exit with an error if no tokens are set, instead of starting the sandbox. Use this for services.",
        ),
    ] = False,
    *,
    no_checks: Annotated[
        bool,
        # The sandbox's: a rehearsal with the real AI service asks it nothing that nobody asked.
        typer.Option("--no-checks", hidden=True, help="Don't check the setup against the services at the start."),
    ] = False,
) -> None:
    """Run every platform that has tokens. With none, start the sandbox."""
    from bots import start  # noqa: PLC0415
    from core.settings import log_section  # noqa: PLC0415

    with _plainly(as_json=log_section().is_json):
        start.run(
            context.obj,
            only or (),
            shards=shards,
            shard_count=shard_count,
            may_play=not no_sandbox,
            checks=not no_checks,
        )


@app.command()
def sandbox(
    context: typer.Context,
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play this conversation and exit; - reads it from standard input."),
    ] = None,
    terminal: Annotated[  # noqa: FBT002  # typer's way
        bool, typer.Option("--terminal", help="Stay in the terminal: open no browser, and take what is typed here.")
    ] = False,
    port: Annotated[
        int, typer.Option(metavar="PORT", help="Port of the page; if it is taken, one of the next.", min=0, max=65535)
    ] = 8080,
) -> None:
    """Try Bobbin on this machine, with no token and no account: in a page of both platforms. They and the AI service are stand-ins."""
    from bots import platforms, start  # noqa: PLC0415

    with _plainly():
        start.sandbox(platforms.settings(context.obj), context.obj, script=script, in_terminal=terminal, port=port)


@app.command()
def upstream(
    port: Annotated[int, typer.Option(metavar="PORT", help="Port to listen on.", min=0, max=65535)] = 8081,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    pace: Annotated[
        float, typer.Option(metavar="SECONDS", help="Seconds between two pieces of an answer.", min=0)
    ] = 0.03,
    faults: Annotated[
        str, typer.Option(metavar="FAULTS", help="Faults to inject: NAME[=VALUE],… ; `help` lists them.")
    ] = "",
) -> None:
    """Serve an emulated AI service to try and test with."""
    if faults == "help":
        from sandbox.upstream import explain  # noqa: PLC0415

        print(explain())
        return
    from bots import start  # noqa: PLC0415

    with _plainly():
        start.upstream(host, port, pace=pace, faults=faults)


@app.command()
def doctor(context: typer.Context) -> None:
    """Check your setup, and explain how to fix problems. Looks at settings, database, tokens and the AI service."""
    from bots.doctor import examine  # noqa: PLC0415

    with _plainly():
        raise typer.Exit(asyncio.run(examine(context.obj)))


@app.command(name="migrate")
def migrate_(context: typer.Context) -> None:
    """Update the database to this version's schema. `run` does this too."""
    from bots import platforms  # noqa: PLC0415
    from core.storage.causes import cause  # noqa: PLC0415
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
            raise SetupError(f"{readable(url)}: {cause(error, url)}") from error
        print(f"{readable(url)} is up to date.")


@app.command()
def stats(
    context: typer.Context,
    days: Annotated[int, typer.Option(metavar="N", help="How many days to count, today included.", min=1, max=92)] = 7,
) -> None:
    """Count questions, answers, failures and feedback per day, preset and model. Reads the database, and changes nothing."""
    from bots import platforms  # noqa: PLC0415
    from bots.stats import tell  # noqa: PLC0415

    with _plainly():
        print(asyncio.run(tell(platforms.settings(context.obj), days)))


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file to write the copy to.", show_default=False)],
) -> None:
    """Copy the SQLite database to a new file, also while Bobbin runs. Copying the file itself would lose what is newest."""
    from bots import platforms  # noqa: PLC0415
    from core.storage.backup import back_up  # noqa: PLC0415

    with _plainly():
        size = back_up(platforms.settings(context.obj).database.url.get_secret_value(), file)
        print(f"{file}: {size:,} bytes")


@app.command()
def manifest(
    context: typer.Context,
    platform: Annotated[
        str,
        typer.Argument(
            metavar="PLATFORM",
            help=f"{' or '.join(PLATFORMS)}.",
            show_default=False,
            autocompletion=bots.platforms_there,
        ),
    ] = "",
) -> None:
    """Print a platform's app manifest or invitation link."""
    from bots import platforms  # noqa: PLC0415

    with _plainly():
        if platform not in platforms.names():
            which = f"Unknown platform {platform!r}." if platform else "Which platform?"
            raise SetupError(f"{which} Choose {' or '.join(PLATFORMS)}.")
        print(platforms.platform(platform).manifest(platforms.settings(context.obj).section(platform)))


@app.command()
def settings() -> None:
    """Print the default settings file. It explains every setting: a template for your own bobbin.toml."""
    from bots import platforms  # noqa: PLC0415

    print(platforms.SAMPLE.read_text("utf-8"), end="")


@app.command()
def health(context: typer.Context) -> None:
    """Check whether Bobbin is alive on this machine. Exits with 1 if not."""
    from bots import platforms  # noqa: PLC0415
    from bots.health import alive  # noqa: PLC0415

    with _plainly():
        where, is_alive = alive(platforms.settings(context.obj).web)
        print(f"{where}: {'alive' if is_alive else 'no answer'}")
        raise typer.Exit(0 if is_alive else 1)


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
