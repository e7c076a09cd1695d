"""What people write, and what is secret, is in no line of the log: at its lowest level, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bots.reply.page import Wish
from bots.reply.wanted import TRY_AGAIN
from sandbox.discord import File, LocalDiscord
from sandbox.replies import Reply
from sandbox.slack import LocalSlack, SharedFile
from tests.e2e.conftest import SECRET_KEY
from tests.faults.bots import Bot, Process

WORDS = "heliotrope"  # in all that people write here
ASKED = f"@bobbin why is {WORDS} blue?"
FILES = (
    (".txt", WORDS.encode(), "text/plain"),
    (".png", b"\x89PNG\r\n\x1a\n" + WORDS.encode(), "image/png"),
    (".jpg", WORDS.encode(), "image/jpeg"),  # it isn't
)
FAILING = f"@bobbin fail over {WORDS}"
PATIENCE = 40.0  # seconds


class Parrot:
    """An AI service that says again whatever it hears, in its answers and in its refusals."""

    def __init__(self) -> None:
        self.url = ""
        self.links: list[str] = []  # to files

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        question = body["question"]
        async with aiohttp.ClientSession() as client:
            for link in body.get("references", []):
                self.links.append(link)
                async with client.get(link) as file:
                    assert file.status == 200
                async with client.get(f"{link}x") as file:
                    assert file.status == 404
        if question.endswith(f"fail over {WORDS}"):  # not where it is quoted, as what was said before
            error = {"code": "chat_error", "message": f"no answer to {question}"}
            return web.json_response({"error": error, "trace_id": question}, status=500)
        line = json.dumps({"type": "message", "answer": f"Well: {question}", "id": question}) + "\r\n"
        return web.Response(text=line, content_type="application/x-ndjson")

    @classmethod
    @asynccontextmanager
    async def flying(cls) -> AsyncIterator[Parrot]:
        parrot, app = cls(), web.Application()
        app.router.add_post("/{path:.*}", parrot._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        parrot.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield parrot
        finally:
            await runner.cleanup()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.05)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.timeout(240)
@pytest.mark.parametrize("over", ["socket", "http"])
async def test_nobodys_words_and_no_secret_are_logged(tmp_path: Path, over: str, local_discord: LocalDiscord) -> None:
    port, log, file = free_port(), tmp_path / "bot.log", tmp_path / "bobbin.db"
    request_url = f"http://127.0.0.1:{port}/slack/events" if over == "http" else None
    async with (
        LocalSlack(retry_seconds=(0.2, 0.5, 1), request_url=request_url) as slack,
        Parrot.flying() as parrot,
    ):
        secrets = {
            "BOBBIN_UPSTREAM__TOKEN": "ups-" + "7" * 20,
            "BOBBIN_SLACK__BOT_TOKEN": slack.bot_token,
            **(
                {"BOBBIN_SLACK__SIGNING_SECRET": slack.signing_secret}
                if request_url
                else {"BOBBIN_SLACK__APP_TOKEN": slack.app_token}
            ),
            "BOBBIN_DISCORD__TOKEN": local_discord.token,
            "BOBBIN_SECRET_KEY": SECRET_KEY,
        }
        variables = secrets | {
            "BOBBIN_UPSTREAM__URL": parrot.url,
            "BOBBIN_DATABASE__URL": f"sqlite:///{file}",
            "BOBBIN_SLACK__API_URL": slack.api_url,
            "BOBBIN_DISCORD__API_URL": local_discord.api_url,
            "BOBBIN_DISCORD__GATEWAY_URL": local_discord.gateway_url,
            "BOBBIN_WEB__HOST": "127.0.0.1",
            "BOBBIN_WEB__PORT": str(port),
            "BOBBIN_WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
            "BOBBIN_LOG__LEVEL": "DEBUG",
            "PYTHONASYNCIODEBUG": "1",  # so that asyncio has something to say
        }
        bot = Bot(Process("bot"), variables, log)
        await bot.start()
        try:
            await on_slack(slack, log)
            await on_discord(local_discord, log)
            if request_url:
                await wrong_signature(request_url)
            await without_tables(file, slack, local_discord, log)
        finally:
            await bot.stop()
        tokens = [interaction.token for interaction in local_discord.interactions]
    logged = log.read_text()
    lines = [json.loads(line) for line in logged.splitlines()]  # all of it is JSON
    assert not [line for line in lines if WORDS in str(line)]
    assert not [secret for secret in (*secrets.values(), *tokens) if secret in logged]
    assert tokens
    assert len(parrot.links) >= 2
    assert not [link for link in parrot.links if link.split("/")[-2] in logged]
    said = [line["event"] for line in lines]
    assert "a question is accepted" in said
    assert ("wrong signature" in logged) is bool(request_url)
    retried = next(line for line in lines if line["event"] == "asking the AI service again")
    assert (retried["status"], retried["code"]) == (500, "chat_error")


async def on_slack(slack: LocalSlack, log: Path) -> None:
    """Mention, edit, command, button, refusal that quotes, event that can't be read."""
    files = [SharedFile(f"{WORDS}{name}", content, kind) for name, content, kind in FILES]
    asked = await slack.say("ada", "general", ASKED, files=files)
    await slack.wait_for(lambda: _slack_says(slack, asked, "Well"), PATIENCE)
    await slack.edit(asked, ASKED + " Please.")
    await slack.command("ada", "general", "/bobbin", f"what is {WORDS}?")
    await slack.command("ada", "general", "/bobbin", f"preset set {WORDS}")
    quoting = {
        "ok": False,
        "error": "invalid_blocks",
        "response_metadata": {"messages": [f"[ERROR] {WORDS} [json-pointer:/blocks/0/text]"]},
    }
    failing = await slack.say("ada", "general", FAILING)
    told = await slack.wait_for(lambda: _slack_says(slack, failing, "Reference"), PATIENCE)
    await slack.click("ada", told, Wish.AGAIN)
    await until(lambda: log.read_text().count('"a turn fails"') > 1)  # the AI service's circuit may open until then
    slack.faults.odd("chat.postMessage", Reply(body=json.dumps(quoting), content_type="application/json"))
    await slack.say("ada", "general", ASKED)
    await until(lambda: not slack.faults.odd_replies.is_waiting)
    slack.send_raw({"type": "app_mention", "text": {WORDS: WORDS}, "user": [WORDS], "ts": WORDS})
    slack.send_raw(WORDS)


def _slack_says(slack: LocalSlack, asked: Any, words: str) -> Any:
    return next((one for one in slack.messages(asked.channel, asked.ts) if one.bot_id and words in str(one)), None)


async def on_discord(discord: LocalDiscord, log: Path) -> None:
    """Mention, edit, command, button, refusal that quotes, event that can't be read."""
    files = [File(f"{WORDS}{name}", content, kind) for name, content, kind in FILES]
    asked = await _answered(discord, files)
    await discord.edit("ada", asked, ASKED + " Please.")
    command = await discord.slash("ada", "general", "ask", question=f"why is {WORDS} red?")
    await discord.wait_for(lambda: command.response and "Well" in command.response.content, PATIENCE)
    quoting = {
        "code": 50035,
        "message": WORDS,
        "errors": {"content": {"_errors": [{"code": "BASE_TYPE", "message": WORDS}]}},
    }
    refusal = Reply(400, json.dumps(quoting), "application/json")
    failing = await discord.say("ada", "general", FAILING)
    told = await discord.wait_for(lambda: _discord_says(discord, failing, "Reference"), PATIENCE)
    await discord.click("ada", told, TRY_AGAIN)
    await until(lambda: log.read_text().count('"a turn fails"') > 3)  # a turn whose table is gone doesn't end soon
    discord.faults.odd("POST /channels/{channel_id}/messages", refusal)
    await discord.say("ada", "general", ASKED)
    await until(lambda: not discord.faults.odd_replies.is_waiting)
    discord.send_raw("MESSAGE_CREATE", {"content": WORDS, "id": WORDS, "author": WORDS})
    discord.send_raw("MESSAGE_UPDATE", WORDS)


async def _answered(discord: LocalDiscord, files: list[File]) -> Any:
    """Ask until the AI service is asked: after what has failed in Slack, its circuit may be open for a while."""
    async with asyncio.timeout(2 * PATIENCE):
        while True:
            asked = await discord.say("ada", "general", ASKED, attachments=files)
            told = await discord.wait_for(partial(_answer_or_failure, discord, asked), PATIENCE)
            if "Well" in told.content:
                return asked


def _answer_or_failure(discord: LocalDiscord, asked: Any) -> Any:
    return _discord_says(discord, asked, "Well") or _discord_says(discord, asked, "Reference")


def _discord_says(discord: LocalDiscord, asked: Any, words: str) -> Any:
    said = discord.messages(asked.thread) if asked.thread else []
    return next((one for one in said if one.author.is_bot and words in one.content), None)


async def wrong_signature(url: str) -> None:
    headers = {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=00", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as client:
        for body in (json.dumps({"type": "event_callback", "event": {"text": WORDS}}), WORDS):
            async with client.post(url, data=body, headers=headers) as answer:
                assert answer.status == 401


async def without_tables(file: Path, slack: LocalSlack, discord: LocalDiscord, log: Path) -> None:
    """The database is there, and fails at every statement that has a question in it."""
    with sqlite3.connect(file) as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute("drop table turns")
    connection.close()

    def failures() -> int:
        return sum('"exception"' in line for line in log.read_text().splitlines())

    before = failures()
    await slack.say("ada", "general", ASKED)
    await until(lambda: failures() > before)
    before = failures()
    await discord.say("ada", "general", ASKED)
    await until(lambda: failures() > before)
