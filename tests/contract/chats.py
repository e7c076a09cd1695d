"""What the contract of a chat has to know of each platform: how people ask there, what they see, what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bots.discord.settings import Section
from core.chat import Chat
from core.preset import Preset
from core.relay import Relay
from core.storage.database import Database
from core.thread import ThreadId
from core.turn import Turn
from sandbox.discord import LocalDiscord, Message
from sandbox.discord.permissions import Permission
from sandbox.replies import Reply
from sandbox.slack import Failure, shown
from tests.bots.discord import conftest as discord
from tests.bots.outage import Outage
from tests.bots.slack import conftest as slack
from tests.contract.append_only import BoardChat
from tests.contract.board import BOT, Board
from tests.contract.board import Notice as BoardNotice

Said = tuple[str, str]  # the id of a message, and its words


class Stage(Protocol):
    """A platform with people on it, and the bot that listens there."""

    @property
    def chat(self) -> Chat: ...

    @property
    def woken(self) -> list[ThreadId]: ...

    async def ask(self, text: str) -> None:
        """Ask in a thread of its own, and have that delivered twice if the platform ever does so."""

    async def turns(self, count: int) -> list[Turn]:
        """Return the turns that were recorded, as soon as there are *count*, taken on as a worker would."""

    def said(self, turn: Turn) -> list[Said]:
        """Return what the bot has said in the thread of *turn*."""

    async def delete(self, message: str) -> None:
        """Have somebody delete a message of the bot's."""

    def restart(self) -> None:
        """Let another process show what comes."""

    def limit_pages(self, most: int) -> None:
        """Let another process show what comes, an answer in so many messages."""

    def files(self, turn: Turn) -> list[str]:
        """Return what is in the files that the bot has added to the thread of *turn*."""

    def forbid_files(self) -> None:
        """Let the bot add none."""

    def lose_file(self) -> None:
        """Have the next one added without telling."""

    def refuse_posts(self) -> None:
        """Have the next post refused for now."""

    def lose_post(self) -> None:
        """Have the next post done without telling."""


class OnSlack:
    def __init__(self, house: slack.House) -> None:
        self._house = house
        house.slack.faults.redeliver = 1

    @property
    def chat(self) -> Chat:
        return self._house.chat

    @property
    def woken(self) -> list[ThreadId]:
        return self._house.woken

    async def ask(self, text: str) -> None:
        before = len(self._house.slack.deliveries)
        await self._house.slack.say("ada", "general", f"@bobbin {text}")
        # As `message` and as `app_mention`, each of them twice.
        await self._house.all_delivered(before + 4)

    async def turns(self, count: int) -> list[Turn]:
        return await self._house.accepted(count)

    def said(self, turn: Turn) -> list[Said]:
        # What has no blocks is its text.
        replies = [one for one in self._house.replies(turn) if not one.files]
        return [(one.ts, shown(one) if one.blocks else one.text) for one in replies]

    async def delete(self, message: str) -> None:
        await self._house.slack.delete(next(one for one in self._house.slack.messages("general") if one.ts == message))

    def restart(self) -> None:
        self._house.chat = self._house.build()

    def limit_pages(self, most: int) -> None:
        self._house.most_pages = most
        self.restart()

    def files(self, turn: Turn) -> list[str]:
        return [file.content.decode() for message in self._house.replies(turn) for file in message.files]

    def forbid_files(self) -> None:
        self._house.slack.installation.scopes.discard("files:write")

    def lose_file(self) -> None:
        self._house.slack.faults.odd("files.completeUploadExternal", Reply(), done=True)

    def refuse_posts(self) -> None:
        self._house.slack.faults.fail("chat.postMessage", Failure(status=503))

    def lose_post(self) -> None:
        self._house.slack.faults.odd("chat.postMessage", Reply(), done=True)


class OnDiscord:
    _POST = "POST /channels/{channel_id}/messages"

    def __init__(self, house: discord.House) -> None:
        self._house = house

    @property
    def chat(self) -> Chat:
        return self._house.chat

    @property
    def woken(self) -> list[ThreadId]:
        return self._house.woken

    async def ask(self, text: str) -> None:
        await self._house.discord.say("ada", "general", f"@bobbin {text}")

    async def turns(self, count: int) -> list[Turn]:
        return await self._house.accepted(count)

    def said(self, turn: Turn) -> list[Said]:
        return [(str(one.id), one.content) for one in self._messages(turn) if not one.attachments]

    def _messages(self, turn: Turn) -> list[Message]:
        thread = int(turn.question.thread.id.rpartition("/")[2])
        if thread not in {one.id for one in self._house.discord.threads("general")}:
            return []
        return self._house.said(thread)

    async def delete(self, message: str) -> None:
        (thread,) = self._house.discord.threads("general")
        await self._house.discord.delete("ada", next(one for one in self._house.said(thread) if str(one.id) == message))

    def restart(self) -> None:
        self._house.chat = self._house.build()

    def limit_pages(self, most: int) -> None:
        self._house.most_pages = most
        self.restart()

    def files(self, turn: Turn) -> list[str]:
        return [one.file.content.decode() for message in self._messages(turn) for one in message.attachments]

    def forbid_files(self) -> None:
        self._house.discord.deny("general", Permission.ATTACH_FILES)

    def lose_file(self) -> None:
        self._house.discord.faults.odd(self._POST, Reply(), done=True)

    def refuse_posts(self) -> None:
        self._house.discord.faults.odd(self._POST, Reply(503))

    def lose_post(self) -> None:
        self._house.discord.faults.odd(self._POST, Reply(), done=True)


class OnBoard:
    def __init__(self, ledger: Outage) -> None:
        self._board = Board()
        self._ledger = ledger
        self.woken: list[ThreadId] = []
        self.relay = Relay(ledger, self.woken.append, {"default": Preset(model="model-a")}, longest_question=10_000)
        self.chat: Chat = BoardChat(self._board)

    async def ask(self, text: str) -> None:
        id_ = await self._board.put(f"thread-{len(self._board.notices)}", "ada", f"@{BOT} {text}")
        self._board.deliver(self._board.notices[id_])

    async def turns(self, count: int) -> list[Turn]:
        async with asyncio.timeout(30):
            while len(self.woken) < count:
                await asyncio.sleep(0.005)
        taken = [await self._ledger.take(thread) for thread in dict.fromkeys(self.woken)]
        return [one.turn for one in taken if one]

    def said(self, turn: Turn) -> list[Said]:
        thread = turn.question.thread.id.partition(":")[2]
        notices: list[BoardNotice] = [one for one in self._board.notices.values() if one.thread == thread]
        return [(one.id, one.text) for one in notices if one.author == BOT]

    async def delete(self, message: str) -> None:
        await self._board.take_down(message)

    def restart(self) -> None:
        self.chat = BoardChat(self._board)

    def limit_pages(self, most: int) -> None:
        self.chat = BoardChat(self._board, most)

    def files(self, turn: Turn) -> list[str]:
        return []

    def forbid_files(self) -> None:
        """It knows none."""

    def lose_file(self) -> None:
        """It knows none."""

    def refuse_posts(self) -> None:
        self._board.full = 1

    def lose_post(self) -> None:
        self._board.lost = 1


@asynccontextmanager
async def on_slack(database: Database) -> AsyncIterator[Stage]:
    async with slack._house("socket", Outage(database), slack.Door()) as house:
        house.slack.installation.scopes.discard("reactions:write")  # not of interest here
        async with house.listening():
            yield OnSlack(house)


@asynccontextmanager
async def on_discord(database: Database) -> AsyncIterator[Stage]:
    async with LocalDiscord() as local:
        section = Section(token=local.token, api_url=local.api_url, gateway_url=local.gateway_url)
        house = discord.House(local, section, Outage(database))
        async with house.listening():
            yield OnDiscord(house)


@asynccontextmanager
async def on_a_board(database: Database) -> AsyncIterator[Stage]:
    stage = OnBoard(Outage(database))
    listening = asyncio.create_task(stage.chat.listen(stage.relay))
    yield stage
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


PLATFORMS: dict[str, Callable[[Database], AbstractAsyncContextManager[Stage]]] = {
    "slack": on_slack,
    "discord": on_discord,
    "append-only": on_a_board,
}
