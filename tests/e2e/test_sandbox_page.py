"""`bobbin sandbox` and its page, as somebody at a shell meets it; the page itself is looked at in tests/browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

import httpx

from sandbox.upstream import Emulator
from tests.e2e.shell import run, start_reading, started, until


def address(said: str) -> str:
    [found] = re.finditer(r"http://127\.0\.0\.1:\d+/$", said, re.MULTILINE)
    return found[0]


async def test_it_serves_a_page_and_tells_where() -> None:
    async with started("sandbox", "--port", "0") as process:
        page = address(await until(process.stdout, "The page"))
        async with httpx.AsyncClient() as client:
            assert "Bobbin's sandbox" in (await client.get(page)).text
            assert (await client.get(page, headers={"Host": "evil.example"})).status_code == 403
        await until(process.stdout, "Ctrl-C ends")


async def test_a_second_one_beside_the_first_takes_another_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with started("sandbox", "--port", str(port)) as one, started("sandbox", "--port", str(port)) as other:
            addresses = {address(await until(each.stdout, "The page")) for each in (one, other)}
            assert len(addresses - {f"http://127.0.0.1:{port}/"}) == 2
            for each in (one, other):
                await until(each.stdout, "Ctrl-C ends")


async def test_where_somebody_sits_before_a_browser_it_is_opened_and_asks_nothing(
    emulator: Emulator, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    program.chmod(0o755)
    real = {"BOBBIN_UPSTREAM__URL": emulator.url, "BOBBIN_UPSTREAM__TOKEN": "emulated"}
    keyboard, terminal = os.openpty()
    process = await start_reading(terminal, "sandbox", "--port", "0", BROWSER=f"{program} %s &", **real)
    try:
        said = await until(process.stdout, "lets you type here")
        assert "cost credits" in said
        async with asyncio.timeout(40):
            while not opened.exists() or not opened.read_text():
                await asyncio.sleep(0.05)
        assert opened.read_text().strip() == address(said)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0
        assert not emulator.requests
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(keyboard)
        os.close(terminal)


async def test_a_browser_that_would_take_the_terminal_over_is_not_opened() -> None:
    keyboard, terminal = os.openpty()
    process = await start_reading(terminal, "sandbox", "--port", "0", BROWSER="lynx %s")
    try:
        assert "Opening" not in await until(process.stdout, "Ctrl-C ends")
    finally:
        process.kill()
        await process.wait()
        os.close(keyboard)
        os.close(terminal)


async def test_the_bot_reads_the_settings_file_that_was_named(tmp_path: Path) -> None:

    (tmp_path / "own.toml").write_text("[presets.mine]\nmodel = 'o3'\n")
    code, out, err = await run("--config", str(tmp_path / "own.toml"), "sandbox", "--script", str(_script(tmp_path)))
    assert (code, err) == (0, "")
    assert "`mine`" in out


def _script(folder: Path) -> Path:
    script = folder / "script.txt"
    script.write_text("slack ada #general: @bobbin preset set nothing\n")
    return script
