"""What a running process doesn't need stays out of its memory."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from core.storage.database import open_database
from core.storage.migrate import migrate
from tests.e2e.conftest import section
from tests.e2e.shell import HOUSE, until

# The bot, as its command runs it, and at the end what it has loaded.
RUN = """
import atexit, json, sys
from bots.cli import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules.items(), key=str), default=bool)))
sys.argv[1:] = ["run"]
main()
"""
UNUSED = (
    "alembic",  # the database has the newest schema
    "mako",
    "psycopg",
    "procrastinate",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "cryptography",  # nothing is sealed yet
    "rich",  # structlog and typer would take it
    "pygments",
    "prompt_toolkit",
    "babel",
    "sandbox",
)
OF = {"slack": ("slack_bolt", "slack_sdk", "bots.slack.chat"), "discord": ("discord", "bots.discord.chat")}


async def test_a_bot_of_one_platform_on_sqlite_has_nothing_else_loaded(
    side: Any, emulator: Any, sqlite_url: str
) -> None:
    database = open_database(sqlite_url)
    await migrate(database)
    await database.close()
    joins = {f"BOBBIN_{side.name}__{key}".upper(): value for key, value in section(side.name, side.local).items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN),
        env={
            **os.environ,
            **joins,
            "PYTHONPATH": str(HOUSE),
            "BOBBIN_WEB__PORT": "0",
            "BOBBIN_DATABASE__URL": sqlite_url,
            "BOBBIN_UPSTREAM__URL": emulator.url,
            "BOBBIN_UPSTREAM__TOKEN": "emulated",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await until(process.stderr, '"ready"')
        thread = await side.open(1, "say exactly: one")
        await side.until(lambda: (True, "one") in side.said(thread))
        process.terminate()
        out, _ = await asyncio.wait_for(process.communicate(), 40)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    loaded = {module for module, is_there in json.loads(out) if is_there}
    assert loaded.issuperset(OF[side.name])
    others = [module for other, modules in OF.items() if other != side.name for module in modules]
    for unused in (*UNUSED, *others):
        assert not {module for module in loaded if f"{module}.".startswith(f"{unused}.")}, unused
