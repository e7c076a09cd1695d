"""Posts, edits, deletes and finds messages in Slack, within its budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.reply.note import Message
from bots.slack.errors import MESSAGE_CLOSED, MESSAGE_GONE
from bots.slack.rendering import content
from core.errors import AnswerDeleted, ChatBusy, ChatRejected, StorageUnavailable, ThreadGone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bots.reply.delivery import Deed
    from bots.reply.note import Note
    from bots.reply.page import Page
    from bots.slack.api import Api, Identity
    from bots.slack.note import Where
    from bots.slack.pace import Pace
    from bots.slack.roots import Roots
    from core.turn import Turn

# https://docs.slack.dev/messaging/message-metadata: by it a message is found again whose ts was never written down.
METADATA_TYPE = "bobbin_turn"
_MOST_LOOKS = 5  # calls to read what was said since a question


class SlackHands:
    """For one call of `show`. The id of a message is its ts."""

    def __init__(self, api: Api, pace: Pace, identity: Identity, turn: Turn, where: Where, *, roots: Roots) -> None:
        """By *identity* the bot's messages are told from others'. *roots* are told of the thread that it begins."""
        self._roots = roots
        self._api = api
        self._pace = pace
        self._identity = identity
        self._turn = turn
        self.where = where

    async def prepare(self, deed: Deed) -> None:
        if deed == "post":
            await self._pace.post(self._turn.id, self.where.channel)
        elif deed == "edit":
            await self._pace.update(self._turn.id)

    async def post(self, number: int, page: Page, plainness: int) -> str:
        ts = await self._api.post(
            channel=self.where.channel,
            thread_ts=self.where.thread_ts,
            metadata={"event_type": METADATA_TYPE, "event_payload": {"turn": self._turn.id, "page": number}},
            **content(page, plainness, self._turn),
        )
        if self._is_to_begin:
            await self._begin(ts)
        return ts

    @property
    def _is_to_begin(self) -> bool:
        return self.where.opens and not self.where.thread_ts

    async def _begin(self, ts: str) -> None:
        """Go on in the thread of *ts*, our first message."""
        try:
            await self._roots.keep(self._turn.question.thread.id, ts)
        except StorageUnavailable as unavailable:  # it will be found, and this tried again
            raise ChatBusy(code="not_kept") from unavailable
        self.where = replace(self.where, thread_ts=ts)

    async def edit(self, message: Message, page: Page, plainness: int) -> str | None:
        said = content(page, plainness, self._turn)
        try:
            await self._api.update(channel=self.where.channel, ts=message.id, **said)
        except ThreadGone as gone:
            if gone.code != MESSAGE_GONE:
                raise
            raise AnswerDeleted(gone.detail, code=gone.code) from gone
        except ChatRejected as refusal:
            if refusal.code not in MESSAGE_CLOSED or not self._turn.is_over:
                raise  # while it streams, each update would be another message
            return None
        return message.id

    async def delete(self, message: Message) -> None:
        try:
            await self._api.delete(self.where.channel, message.id)
        except ThreadGone:  # somebody was quicker
            return
        except ChatRejected as refusal:
            if refusal.code not in MESSAGE_CLOSED:
                raise

    async def find(self, note: Note[Where], pages: Sequence[Page | None]) -> Mapping[int, str]:  # noqa: ARG002
        """Look where the answer stands, by the metadata of its messages."""
        found = await self._found()
        if self._is_to_begin and 0 in found:
            await self._begin(found[0])
            found |= await self._found()
        return found

    async def _found(self) -> dict[int, str]:
        # The newest of each: an older one could not be edited any more.
        return {
            number: str(message["ts"])
            async for message in self._said()
            if (number := self._number_of(message)) is not None
        }

    async def attach(self, name: str, content: bytes, *, may_be_there: bool) -> str:
        if may_be_there:
            async for message in self._said():
                for file in _files(message):
                    if (file.get("name"), file.get("size")) == (name, len(content)):
                        return str(file.get("id"))
        return await self._api.upload(name, content, self.where.channel, self.where.thread_ts)

    async def detach(self, file: str) -> None:
        async for message in self._said():
            if any(one.get("id") == file for one in _files(message)):
                await self.delete(Message(str(message.get("ts"))))

    async def _said(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what we said since the question, in its thread or beside all of them, oldest first."""
        cursor, where = "", self.where
        for _ in range(_MOST_LOOKS):
            await self._pace.read()
            answer = await self._api.replies(where.channel, where.thread_ts, where.question_ts, cursor)
            for message in answer["messages"]:
                if isinstance(message, dict) and self._is_ours(message):
                    yield message
            cursor = answer["response_metadata"]["next_cursor"]
            if not cursor:
                break

    def is_deleted(self, message: Message) -> bool:  # noqa: ARG002
        return False  # an update says so

    def _is_ours(self, message: dict[str, Any]) -> bool:
        """Servers that speak Slack's API may leave out one of the two."""
        bot, user = message.get("bot_id"), message.get("user")
        return bool(bot and bot == self._identity.bot) or bool(user and user == self._identity.user)

    def _number_of(self, message: dict[str, Any]) -> int | None:
        """Return which page of this turn *message* shows, None if it is another message."""
        match message:
            case {
                "ts": str(),
                "metadata": {"event_type": str(kind), "event_payload": {"turn": int(turn), "page": int(page)}},
            } if kind == METADATA_TYPE and turn == self._turn.id:
                return page
        return None


def _files(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the files of a message, as far as they are any."""
    files = message.get("files")
    return [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
