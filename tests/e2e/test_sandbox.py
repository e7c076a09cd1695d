"""The sandbox, as somebody who tries Bobbin meets it."""

from __future__ import annotations

from pathlib import Path

from sandbox.upstream import Emulator
from tests.e2e.shell import run, started, until


async def test_with_no_tokens_the_sandbox_answers_on_both_platforms_from_memory() -> None:
    async with started("run") as process:
        said = await until(process.stdout, "Ctrl-C ends")
    assert "token is set, so this starts the sandbox.\nNothing leaves this machine.\n" in said
    assert "Your favourite colour is teal" in said
    assert "the launch is on Friday" in said.partition("You told me")[2]


async def test_the_sandbox_asks_the_real_service_nothing_by_itself_and_says_what_questions_cost(
    emulator: Emulator,
) -> None:
    real = {"BOBBIN_UPSTREAM__URL": emulator.url, "BOBBIN_UPSTREAM__TOKEN": "emulated"}
    async with started("run", **real) as process:
        said = await until(process.stdout, "Ctrl-C ends")
    assert f"Your questions go to the real AI service ({emulator.url}) and cost credits." in said
    assert "leaves this machine" not in said
    assert not emulator.requests


async def test_a_script_is_played_and_printed(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text(
        "# a comment\n"
        "slack ada #general: @bobbin say exactly: one\n\n"
        "discord ben dm: say exactly: two\n"
        "say exactly: three\n"
        "discord ada #general: /preset set model=o3\n"
        "slack ben #random: nice weather\n"
    )
    code, out, _ = await run("sandbox", "--script", str(script))
    assert code == 0
    unasked = "(Bobbin wasn't mentioned, so it stays quiet – add @bobbin)"
    for text in ("bobbin │ one", "bobbin │ two", "bobbin │ three", "`o3`", unasked):
        assert text in out


async def test_a_script_that_makes_no_sense_is_said(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("what?\n")
    code, _, err = await run("sandbox", "--script", str(script))
    assert code == 2
    assert "what?" in err
