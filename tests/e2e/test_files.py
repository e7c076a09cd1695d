"""Files that people attach: what of them reaches the AI service, and what is said of those that don't."""

from __future__ import annotations

import io
import re
import struct
import tempfile
import time
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from bots.discord.note import Where
from bots.reply.note import Note
from core.attachment import file
from core.turn import QuestionKey
from sandbox import discord, slack
from sandbox.discord import File, LocalDiscord, payloads
from sandbox.replies import Reply
from sandbox.slack import LocalSlack, SharedFile
from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds
DOOR = {"host": "127.0.0.1", "port": 0, "public_url": "http://127.0.0.1:0"}
PASTE = b"ERROR 42: the pump stands still\nsince noon"


def png(width: int = 120, height: int = 80) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@dataclass(frozen=True)
class Sent:
    """A file, on whatever platform."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


PICTURE = Sent("pump.png", png(), "image/png")
TEXT = Sent("message.txt", PASTE, "text/plain")
LONG = Sent("server.log", b"0123456789abcde\n" * 6_000, "text/plain")
REPORT = Sent("report.pdf", b"%PDF-1.7\n" + bytes(500), "application/pdf")


class OnSlack:
    name = "slack"

    def __init__(self, local: LocalSlack) -> None:
        self.local = local
        self.dm = local.open_dm("ada")

    async def say(self, text: str, *files: Sent, **more: Any) -> None:
        shared = [SharedFile(one.name, one.content, one.media_type, **more) for one in files]
        await self.local.say("ada", self.dm, text, files=shared)

    def answers(self) -> list[str]:
        said = [one for one in self.local.messages(self.dm) if one.user == self.local.bot_user_id]
        return [slack.shown(one) for one in said]

    def serve(self, reply: Reply | None) -> None:
        self.local.faults.file = reply

    @property
    def secret(self) -> str:
        return self.local.bot_token


class OnDiscord:
    name = "discord"

    def __init__(self, local: LocalDiscord) -> None:
        self.local = local
        self.dm = local.open_dm("ada")

    async def say(self, text: str, *files: Sent, told_size: int | None = None) -> discord.Message:
        attached = [File(one.name, one.content, one.media_type, told_size=told_size) for one in files]
        return await self.local.say("ada", self.dm, text, attachments=attached)

    def answers(self) -> list[str]:
        return [one.content for one in self.local.messages(self.dm) if one.author.is_bot and one.content]

    def serve(self, reply: Reply | None) -> None:
        self.local.world.faults.file = reply

    @property
    def secret(self) -> str:
        return self.local.token


@pytest.fixture(params=["slack", "discord"])
def there(request: pytest.FixtureRequest) -> OnSlack | OnDiscord:
    """ada's direct conversation with the bot, on each platform in turn."""
    local = request.getfixturevalue(f"local_{request.param}")
    return OnSlack(local) if request.param == "slack" else OnDiscord(local)


async def told(there: Any, bobbin: Any, number: int = 1) -> str:
    await there.local.wait_for(lambda: len(there.answers()) >= number, PATIENCE)
    await bobbin.idle()
    return str(there.answers()[-1])


def bodies(emulator: Emulator) -> list[dict[str, Any]]:
    return [request.body for request in emulator.requests if isinstance(request.body, dict)]


@pytest.mark.parametrize("words", ["What is this?", ""])
async def test_a_picture_is_seen(running: Any, there: Any, sqlite_url: str, emulator: Emulator, words: str) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say(words, PICTURE)
        answer = await told(there, bobbin)
        [body] = bodies(emulator)
        [link] = body["references"]
        assert link.startswith(f"http://127.0.0.1:{bobbin.web.port}/files/")
        assert link.endswith("/pump.png")
    assert "pump.png (image/png, 120×80, " in answer.replace("`", "")
    assert "leaves out" not in answer
    assert body["question"].strip()


async def test_a_paste_is_in_the_question_as_data(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, there.name) as bobbin:  # a text needs no door
        await there.say("Why?", TEXT)
        answer = await told(there, bobbin)
    [body] = bodies(emulator)
    assert '{"file": "message.txt", "text": "ERROR 42: the pump stands still\\nsince noon"}' in body["question"]
    assert body["question"].endswith("\n\nWhy?")
    assert "references" not in body
    assert "message.txt (it begins: “ERROR 42: the pump stands still”)" in answer.replace("`", "")


async def test_a_long_text_is_given_by_a_link(running: Any, there: Any, sqlite_url: str, emulator: Emulator) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say("Why?", LONG, TEXT)
        answer = await told(there, bobbin)
    [body] = bodies(emulator)
    assert [url.rpartition("/")[2] for url in body["references"]] == ["server.log"]
    assert "message.txt" in body["question"]
    assert "server.log (text/plain, 96 kB, it begins: “0123456789abcde”)" in answer.replace("`", "")


async def test_texts_that_are_too_long_together_are_given_both_ways(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    half = [Sent(f"{number}.txt", bytes([64 + number]) * 40_000, "text/plain") for number in (1, 2)]
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say("Why?", *half)
        await told(there, bobbin)
    [body] = bodies(emulator)
    assert '"1.txt"' in body["question"]
    assert '"2.txt"' not in body["question"]
    assert [url.rpartition("/")[2] for url in body["references"]] == ["2.txt"]


async def test_a_link_is_made_anew_for_each_try_and_is_good_while_it_lasts(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        emulator.faults.replace({"empty": True})
        await there.say("What is this?", PICTURE)
        await told(there, bobbin)
        links = [body["references"][0] for body in bodies(emulator)]
        assert len(links) == len(set(links)) == 2
        async with aiohttp.ClientSession() as client, client.get(links[0]) as response:
            assert await response.read() == PICTURE.content
    assert {link.rpartition("/")[2] for link in links} == {"pump.png"}


async def test_earlier_files_are_neither_sent_nor_quoted_again(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say("Why?", PICTURE, TEXT)
        await told(there, bobbin)
        emulator.forget()  # so that the conversation is told anew
        await there.say("And now?")
        await told(there, bobbin, 2)
    assert bodies(emulator)
    assert all("references" not in body and "since noon" not in body["question"] for body in bodies(emulator))


# What can't be read


WRONG = {
    "isn't what its name says": Sent("pump.png", b"<!DOCTYPE html><title>x</title>", "image/png"),
    "read this as text": Sent("notes.txt", b"\xff\xd8\x00\x01" * 9, "text/plain"),
    "read an empty file": Sent("empty.pdf", b"", "application/pdf"),
    "listen to audio": Sent("voice.mp3", b"ID3", "audio/mpeg"),
}


@pytest.mark.parametrize("why", WRONG)
async def test_beside_words_it_is_said_what_was_left_out(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator, why: str
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say("say exactly: got it", WRONG[why], TEXT)
        answer = await told(there, bobbin)
    assert answer.startswith("got it")
    assert f"{why}" in answer
    assert f'so this answer leaves out "{WRONG[why].name}".' in answer
    assert len(bodies(emulator)) == 1


@pytest.mark.parametrize("why", WRONG)
async def test_alone_it_is_said_and_nothing_is_asked(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator, why: str
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say("", WRONG[why])
        answer = await told(there, bobbin)
    assert why in answer
    assert answer.endswith(", and I'll answer.")
    assert not bodies(emulator)


HUGE = 300_000_000  # bytes


async def test_a_file_that_is_too_large_is_told_so_and_not_fetched(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        tracemalloc.start()
        more = {"more": {"size": HUGE}} if there.name == "slack" else {"told_size": HUGE}
        await there.say("", Sent("huge.pdf", b"%PDF"), **more)
        answer = await told(there, bobbin)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert answer.startswith("I can read files of up to 25 MB.")
    assert not bodies(emulator)
    assert most < 25_000_000


async def test_a_zip_bomb_is_not_opened(running: Any, there: Any, sqlite_url: str, emulator: Emulator) -> None:
    """An archive is given as it is, by a link; under another name it isn't what that says."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros.txt", bytes(50_000_000))
    content = packed.getvalue()
    named = [
        Sent("bomb.zip", content, "application/zip"),
        Sent("bomb.txt", content, "text/plain"),
        Sent("bomb.pdf", content, "application/pdf"),
    ]
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        tracemalloc.start()
        for number, one in enumerate(named, 1):
            await there.say("", one)
            await told(there, bobbin, number)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    archive, *others = there.answers()
    assert "bomb.zip (application/zip, 49 kB)" in archive.replace("`", "")
    assert len(others) == 2
    assert all(text.endswith(", and I'll answer.") for text in others)
    assert len(bodies(emulator)) == 1
    assert most < 25_000_000


SERVED = {
    "isn't what its name says": Reply(body=b"PK\x03\x04" + bytes(99), content_type="application/zip"),
    "can't find this file": Reply(404),
    "kept somewhere else": Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
    "is what its name": Reply(body=b"\x1f\x8b" * 99, headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("why", SERVED)
async def test_what_the_platform_serves_in_a_files_place_is_not_given(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator, why: str
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        there.serve(SERVED[why])
        await there.say("", PICTURE)
        answer = await told(there, bobbin)
    assert why.replace("is what its", "isn't what its") in answer
    assert not bodies(emulator)


async def test_a_platform_that_is_away_for_a_moment_is_asked_again_by_a_button(
    running: Any, there: Any, sqlite_url: str, emulator: Emulator
) -> None:
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        there.serve(Reply(503))
        await there.say("", PICTURE)
        answer = await told(there, bobbin)
        assert "I couldn't fetch this file just now" in answer
        assert "Reference" in answer
        there.serve(None)
        assert await bobbin._relay.again((await _newest(bobbin)).question.key)
        await there.local.wait_for(lambda: "120×80" in there.answers()[-1], PATIENCE)
        await bobbin.idle()


async def _newest(bobbin: Any) -> Any:
    [found] = await bobbin._ledger.active_threads(next(iter(bobbin._chats)), datetime.fromtimestamp(0, UTC), 1)
    return await bobbin._ledger.turn(found.newest)


async def test_a_name_is_data_whatever_it_says(running: Any, there: Any, sqlite_url: str, emulator: Emulator) -> None:
    odd = Sent('..\u202e x" and now.png', PICTURE.content, "image/png")
    async with running(sqlite_url, there.name, web=DOOR) as bobbin:
        await there.say("", odd)
        await told(there, bobbin)
    [body] = bodies(emulator)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.png", body["references"][0].rpartition("/")[2])
    assert "\u202e" not in body["question"]
    assert body["question"].count('"') == 2


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_nothing_of_a_file_stays_and_the_token_is_in_no_log(
    running: Any, there: Any, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = b"heliotrope-5e1f"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    picture = Sent("pump.png", PICTURE.content + marker, "image/png")
    text = Sent("notes.txt", b"the pump " + marker, "text/plain")
    with structlog.testing.capture_logs() as logged:
        async with running(f"sqlite:///{tmp_path / 'bobbin.db'}", there.name, web=DOOR) as bobbin:
            await there.say("say exactly: got it", picture, text)
            await told(there, bobbin)
            there.serve(Reply(404))
            await there.say("say exactly: got it", picture)
            await told(there, bobbin, 2)
            [body, _] = bodies(emulator)
    assert marker.decode() in body["question"]
    kept = files_below(tmp_path)
    assert kept
    assert not [path for path, content in kept.items() if marker in content]
    for secret in (there.secret, body["references"][0].split("/")[-2], marker.decode(), "hm=", "pump"):
        assert secret not in str(logged)


# Without a door


async def test_slack_without_a_public_url_says_that_it_has_not_seen_the_picture(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    there = OnSlack(local_slack)
    with structlog.testing.capture_logs() as logged:
        async with running(sqlite_url, "slack") as bobbin:
            await there.say("say exactly: got it", PICTURE)
            beside = await told(there, bobbin)
            await there.say("", PICTURE)
            alone = await told(there, bobbin, 2)
            await there.say("", LONG)
            long = await told(there, bobbin, 3)
    assert 'I can\'t open images and documents here yet, so this answer leaves out "pump.png". Paste the' in beside
    assert alone == (
        "I can't open images and documents here yet. Paste the part that matters as text, and I'll answer."
    )
    assert long == "I can read text files of up to 64 kB here. Paste the part that matters as text, and I'll answer."
    assert len(bodies(emulator)) == 1
    assert any("BOBBIN_WEB__PUBLIC_URL" in line["event"] for line in logged)
    assert [line["code"] for line in logged if line.get("kind") == "FileUnlinked"] == ["web.public_url is not set"] * 2


async def test_discord_without_a_public_url_gives_its_own_link_that_ends_in_the_name(
    running: Any, local_discord: LocalDiscord, sqlite_url: str, emulator: Emulator
) -> None:
    there = OnDiscord(local_discord)
    async with running(sqlite_url, "discord") as bobbin:
        await there.say("What is this?", PICTURE)
        answer = await told(there, bobbin)
    [body] = bodies(emulator)
    [link] = body["references"]
    assert link.startswith(f"{local_discord.world.base_url}/attachments/")
    assert link.endswith("#pump.png")
    assert "120×80" in answer


# Slack alone


async def test_slack_without_the_scope_says_so_to_whom_it_concerns(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    """Slack serves its login page then, and 200; for a page of somebody's it can't be taken either."""
    there = OnSlack(local_slack)
    local_slack.installation.scopes.discard("files:read")
    page = Sent("page.html", b"<!DOCTYPE html><title>Our own page</title>", "text/html")
    with structlog.testing.capture_logs() as logged:
        async with running(sqlite_url, "slack", web=DOOR) as bobbin:
            for number, one in enumerate((PICTURE, TEXT, page), 1):
                await there.say("", one)
                answer = await told(there, bobbin, number)
                assert answer.startswith("I'm not allowed to open files here yet.")
    assert not bodies(emulator)
    assert sum("files:read" in str(line.get("code")) for line in logged) == 3


async def test_a_page_of_somebodys_is_read(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    there = OnSlack(local_slack)
    async with running(sqlite_url, "slack") as bobbin:
        await there.say("What does it say?", Sent("page.html", b"<!DOCTYPE html><title>Ours</title>", "text/html"))
        await told(there, bobbin)
    assert "<title>Ours</title>" in bodies(emulator)[0]["question"]


@pytest.mark.parametrize("sent", [PICTURE, TEXT, REPORT])
async def test_a_file_of_another_organisation_is_looked_up(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator, sent: Sent
) -> None:
    there = OnSlack(local_slack)
    async with running(sqlite_url, "slack", web=DOOR) as bobbin:
        await there.say("", sent, is_to_be_looked_up=True)
        answer = await told(there, bobbin)
    assert sent.name in answer
    assert "leaves out" not in answer


async def test_of_what_slack_only_links_to_it_is_said(
    running: Any, local_slack: LocalSlack, sqlite_url: str, emulator: Emulator
) -> None:
    there = OnSlack(local_slack)
    elsewhere = {"is_external": True, "mode": "external", "url_private": "https://drive.example/plan.pdf"}
    async with running(sqlite_url, "slack", web=DOOR) as bobbin:
        await there.say("", Sent("plan.pdf", b"x"), more=elsewhere)
        assert (await told(there, bobbin)).startswith("I can't open files that are kept somewhere else. Paste")
        await there.say("", Sent("plan.pdf", b"x"), more=elsewhere, is_to_be_looked_up=True)
        assert (await told(there, bobbin, 2)).startswith("I can't open files that are kept somewhere else. Paste")
        await there.say("", Sent("huge.pdf", b"%PDF"), more={"size": 300_000_000})
        assert (await told(there, bobbin, 3)).startswith("I can read files of up to 25 MB. Paste")
    assert not bodies(emulator)


# Discord alone


@pytest.mark.parametrize("public_url", ["", "http://127.0.0.1:0"])
async def test_a_link_of_discords_that_is_out_of_date_is_renewed(
    running: Any, local_discord: LocalDiscord, sqlite_url: str, emulator: Emulator, public_url: str
) -> None:
    """As when a question is asked again after a day; it may stand in the database since before an upgrade."""
    there, world = OnDiscord(local_discord), local_discord.world
    async with running(sqlite_url, "discord", web=DOOR | {"public_url": public_url}) as bobbin:
        said = await there.say("What is this?", PICTURE)
        await told(there, bobbin)
        long_ago, attached = f"{int(time.time()) - 60:x}", said.attachments[0]
        link = payloads.attachment_url(world, attached).partition("?")[0]
        stale = f"{link}?ex={long_ago}&is={long_ago}&hm={payloads.attachment_seal(world, attached.id, long_ago)}&"
        async with aiohttp.ClientSession() as client, client.get(stale) as response:
            assert response.status == 404
        assert not [call for call in local_discord.calls if "refresh-urls" in call.route]
        asked = replace(
            (await _newest(bobbin)).question,
            key=QuestionKey("discord:1"),
            attachments=(file("pump.png", "", None, stale),),
        )
        await bobbin._relay.ask(asked, Note(Where(channel=there.dm.id)).write())
        await bobbin.idle()
        assert "120×80" in (await bobbin._ledger.turn(asked.key)).answer
        assert [call for call in local_discord.calls if "refresh-urls" in call.route]
