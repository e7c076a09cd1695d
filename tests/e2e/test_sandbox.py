"""The sandbox, as somebody who tries Bobbin meets it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bots import platforms
from sandbox.discord import File
from sandbox.slack import SharedFile, shown
from sandbox.stage import staged
from sandbox.upstream import Emulator
from tests.e2e.shell import run, start_reading, started, until


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
        "#another\n"
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


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("what?", "what?"),
        ("slack carol #general: hi", "There is no “carol”"),
        ("discord ada #nowhere: hi", "There is no “#nowhere”"),
        ("slack ada general: hi", "PLATFORM PERSON PLACE"),
    ],
)
async def test_a_script_that_makes_no_sense_is_said_before_it_is_played(tmp_path: Path, line: str, why: str) -> None:
    script = tmp_path / "script.txt"
    script.write_text(f"# how to fail\n\n{'' if line == 'what?' else 'slack ada #general: hello'}\n{line}\n")
    code, out, err = await run("sandbox", "--script", str(script))
    assert code == 2
    assert err.startswith(f"{script}:4: ")
    assert why in err
    assert "hello" not in out


async def test_a_line_of_a_script_that_turns_out_to_be_impossible_is_said_with_its_number(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("\nslack ada thread: hello\n")
    code, _, err = await run("sandbox", "--script", str(script))
    assert (code, err.startswith(f"{script}:2: There is no thread on Slack yet.")) == (2, True)


async def test_a_script_that_is_no_text_is_said(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_bytes(b"\xff\xfe\x00")
    code, _, err = await run("sandbox", "--script", str(script))
    assert (code, err.strip()) == (2, f"{script} is not UTF-8 text (line 1). Save it as UTF-8.")


async def test_where_nobody_can_type_it_says_that_nothing_is_read(emulator: Emulator) -> None:
    real = {"BOBBIN_UPSTREAM__URL": emulator.url, "BOBBIN_UPSTREAM__TOKEN": "emulated"}
    async with started("sandbox", **real) as process:
        said = await until(process.stdout, "Ctrl-C ends")
    assert "Standard input is not a terminal, so nothing is read from it" in said


async def test_an_answer_that_is_the_same_again_is_said(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text(
        "slack ada #general: @bobbin say exactly: one\n"
        "slack ada thread: @bobbin retry\n"
        "discord ada #general: @bobbin say exactly: two\n"
        "discord ada thread: /retry\n"
        "discord ada dm: /retry\n"
    )
    code, out, _ = await run("sandbox", "--script", str(script))
    assert (code, out.count("(answered again, same text)")) == (0, 2)


async def test_a_typed_line_that_could_not_be_done_is_not_gone_on_from(emulator: Emulator) -> None:
    real = {"BOBBIN_UPSTREAM__URL": emulator.url, "BOBBIN_UPSTREAM__TOKEN": "emulated"}
    keyboard, terminal = os.openpty()
    process = await start_reading(terminal, "sandbox", **real)

    async def typed(line: str, until_said: str) -> str:
        os.write(keyboard, f"{line}\n".encode())
        return await until(process.stdout, until_said)

    try:
        await until(process.stdout, "Ctrl-C ends")
        await typed("discord ben dm: say exactly: one", "bobbin │ one")
        await typed("slack carol #general: hello", "There is no “carol”")
        for wrong in ("slack ada #general @bobbin hi", "slack ada general: hi", "slack: hi"):
            await typed(wrong, f"I don't understand '{wrong}'")
        await typed("#nothing is said by this", "")
        said = await typed("say exactly: two", "bobbin │ two")
        assert "nothing is said" not in said
    finally:
        process.kill()
        await process.wait()
        os.close(keyboard)
        os.close(terminal)


async def test_a_picture_is_seen_in_the_sandbox_on_both_platforms() -> None:
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x78\0\0\0\x50"
    async with staged(platforms.settings()) as stage:
        await stage.until_ready()
        dm = stage.discord.open_dm("ada")
        await stage.discord.say("ada", dm, "", attachments=[File("pump.png", picture, "image/png")])
        await stage.discord.wait_for(lambda: "120×80" in str([one.content for one in stage.discord.messages(dm)]))
        room = stage.slack.open_dm("ada")
        await stage.slack.say("ada", room, "", files=[SharedFile("pump.png", picture, "image/png")])
        await stage.slack.wait_for(lambda: "120×80" in str([shown(one) for one in stage.slack.messages(room)]))
        await stage.ledger.idle()
