"""The sandbox in a terminal, by a pseudo-terminal: what is typed, what is seen, and how it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bots import platforms
from sandbox.page.server import served
from sandbox.slack import shown
from sandbox.stage import staged
from tests.e2e.shell import HOUSE, run, start_reading, started, until

ENTER, CTRL_D, CTRL_C, CTRL_U, UP, TAB = "\r", "\x04", "\x03", "\x15", "\x1b[A", "\t"
PATIENCE = 60.0  # seconds


class Terminal:
    """Somebody sits at it."""

    def __init__(self, process: asyncio.subprocess.Process, keyboard: int) -> None:
        self.process = process
        self.seen = ""
        self._keyboard = keyboard
        self._mark = 0
        self._came = asyncio.Event()
        asyncio.get_running_loop().add_reader(keyboard, self._read)

    async def until(self, text: str) -> str:
        """Wait until *text* is seen behind what was waited for before; return what came until then."""
        async with asyncio.timeout(PATIENCE):
            while (found := self.seen.find(text, self._mark)) < 0:
                assert self.process.returncode is None, self.seen
                self._came.clear()
                await self._came.wait()
        came, self._mark = self.seen[self._mark : found], found + len(text)
        return came

    async def type(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    async def end(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._keyboard)
        os.close(self._keyboard)

    def _read(self) -> None:
        try:
            came = os.read(self._keyboard, 65536)
        except OSError:  # nobody is at the other end any more
            came = b""
            asyncio.get_running_loop().remove_reader(self._keyboard)
        self.seen += came.decode(errors="replace")
        self._came.set()


@asynccontextmanager
async def terminal(*words: str, **variables: str) -> AsyncIterator[Terminal]:
    keyboard, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bots", *words),
        env={
            **os.environ,
            "PYTHONPATH": str(HOUSE),
            "TERM": "xterm-256color",
            "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody tells here where the cursor is
            "BOBBIN_LOG__FORMAT": "console",
            **variables,
        },
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    at = Terminal(process, keyboard)
    try:
        yield at
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        at.close()


async def test_a_bot_that_is_killed_in_mid_answer_goes_on_and_what_was_typed_comes_back() -> None:
    async with terminal("sandbox", "--terminal") as at:
        await at.until("Ctrl-D or Ctrl-C ends.")
        assert "\x1b[1;36m bobbin\x1b[0m" in at.seen  # in colour
        await at.until("ben on discord")
        await at.type(f"slack ada #general: @bobbin Write 300 words about looms.{ENTER}")
        await at.until("#general › thread")
        await at.type(f":kill{ENTER}")
        await at.until("the bot is killed")
        await at.type(f"@bobbin hello?{ENTER}")
        await at.until("the bot is not running; :start starts it")
        await at.type(f":start{ENTER}")
        await at.until("the bot is ready")
        await at.until("(Made up by the emulator.)")
        await at.type(":as cl")
        await at.until(" cleo ")  # is offered
        await at.type(TAB)
        await at.until(" cleo ")  # is chosen
        await at.type(ENTER)
        await at.until("cleo on slack")
        await at.type(UP * 5)
        await at.until("300 words")
        await at.type(CTRL_U + CTRL_D)
        assert await at.end() == 0
    assert "Traceback" not in at.seen


async def test_ctrl_c_ends_it_and_nobody_gets_colours_who_wants_none() -> None:
    async with terminal("sandbox", "--terminal", NO_COLOR="1") as at:
        await at.until("ben on discord")
        assert not re.search(r"\x1b\[\d+(;\d+)?m *bobbin", at.seen)
        await at.type(CTRL_C)
        assert await at.end() == 0


async def test_what_an_answer_holds_does_not_steer_the_terminal(tmp_path: Path) -> None:
    script = tmp_path / "talk.txt"
    script.write_text("slack ada #general: @bobbin say exactly: \x1b[2J\x1b]0;evil\x07 a\u202eb\n", "utf-8")
    async with terminal("sandbox", "--script", str(script)) as at:
        assert await at.end() == 0
        await at.until("a⟨U+202E⟩b")
        await at.until("a⟨U+202E⟩b")
    assert not re.search("\x1b\\[2J|\x1b]0|\u202e", at.seen)


async def test_ctrl_d_ends_it_where_a_terminal_can_do_no_more_than_lines() -> None:
    async with terminal("sandbox", "--terminal", TERM="dumb") as at:
        await at.until("Ctrl-D or Ctrl-C ends.")
        await at.type(":as ben\n:help\n")
        await at.until("Ctrl-D or Ctrl-C ends.")
        assert "\x1b" not in at.seen
        await at.type(CTRL_D)
        assert await at.end() == 0


async def test_a_text_too_long_to_be_said_is_refused_and_one_can_go_on() -> None:
    async with terminal("sandbox", "--terminal") as at:
        await at.until("ben on discord")
        await at.type("\x1b[200~" + "x" * 60_000 + "\x1b[201~")
        await at.type(ENTER)
        await at.until("40,000 are the most")
        await at.type(f":help{ENTER}")
        await at.until("PLATFORM PERSON PLACE")


async def test_a_script_kills_the_bot_in_mid_answer_and_comes_from_standard_input() -> None:
    script = (
        "slack ada #general: @bobbin Write 300 words about looms.\n"
        ":meanwhile\n:kill\n:start\n"
        "slack ada thread 1: :edit @bobbin say exactly: other\n"
        ":click Answer the edited question\n"
    )
    read, write = os.pipe()
    os.write(write, script.encode())
    os.close(write)
    process = await start_reading(read, "sandbox", "--script", "-")
    os.close(read)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    said = out.decode()
    assert "the bot is killed" in said.partition("bobbin │")[2]
    assert "(Made up by the emulator.)" in said.partition("the bot is ready")[2]
    assert said.rstrip().endswith("other")


async def test_what_was_done_in_one_sandbox_is_done_again_in_another(tmp_path: Path) -> None:
    async with started("sandbox", "--port", "0") as process:
        said = await until(process.stdout, "Ctrl-C ends")
        [address] = re.findall(r"The page +(\S+)", said)
        async with aiohttp.ClientSession() as session, session.get(f"{address}script") as answer:
            assert answer.status == 200
            assert "attachment" in answer.headers["Content-Disposition"]
            script = tmp_path / "again.txt"
            script.write_text(await answer.text(), "utf-8")
        async with aiohttp.ClientSession() as session:
            elsewhere = {"Origin": "http://example.com"}
            async with session.get(f"{address}script", headers=elsewhere) as answer:
                assert answer.status == 403
    code, out, _ = await run("sandbox", "--script", str(script))
    assert code == 0
    talk, again = said.partition("\n──")[2].partition("\nStandard input")[0].strip(), out.partition("\n──")[2].strip()
    assert again == talk


async def test_a_kill_in_mid_answer_on_the_page_is_done_again_by_its_script(tmp_path: Path) -> None:
    async with (
        staged(platforms.settings()) as stage,
        served(stage, port=0) as page,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{page.address}feed", headers={"Origin": page.address.rstrip("/")}) as socket,
    ):
        await stage.until_ready()
        general = f"slack {stage.slack.channel('general').id}"
        said = {"act": "slack.say", "person": "ada", "place": general, "text": "@bobbin Write 300 words about looms."}
        await socket.send_json(said)
        await stage.slack.wait_for(lambda: any("loom" in shown(one) for one in stage.slack.messages("general")[1:]))
        for act in ("fault.kill", "fault.start"):
            await socket.send_json({"act": act, "id": act})
            while (await socket.receive_json()).get("done") != act:
                pass
        async with session.get(f"{page.address}script") as answer:
            written = await answer.text()
        await stage.until_ready()
        await stage.ledger.idle()
        [turn] = stage.ledger.turns()
    assert written.endswith("slack ada #general: @bobbin Write 300 words about looms.\n:meanwhile\n:kill\n:start\n")
    script = tmp_path / "bug.txt"
    script.write_text(written, "utf-8")
    code, out, _ = await run("sandbox", "--script", str(script))
    last = turn.answer.replace("*", "").split("\n")[-1]
    assert (code, last in out.partition("the bot is ready")[2]) == (0, True)


async def test_a_terminal_that_lacks_most_letters_is_no_reason_to_end(tmp_path: Path) -> None:
    script = tmp_path / "talk.txt"
    script.write_text("slack ada #general: @bobbin say exactly: naïve\n", "utf-8")
    code, out, _ = await run("sandbox", "--script", str(script), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (code, "na\\xefve" in out) == (0, True)


def test_the_prompt_s_library_is_loaded_by_nobody_who_has_no_prompt() -> None:
    """A bot that runs keeps its memory for better things."""
    code = (
        "import sys, bots.app, bots.start, bots.cli, sandbox.rehearsal, sandbox.terminal;"
        "sys.exit('prompt_toolkit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=HOUSE, check=False).returncode == 0  # noqa: S603  # ours
