"""Posts, edits, deletes and finds messages in Slack, within its budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.reply.note import Message
from bots.slack.buttons import footer
from bots.slack.errors import MESSAGE_CLOSED, MESSAGE_GONE
from bots.slack.limits import STREAM_BYTES
from bots.slack.markdown import joined
from bots.slack.rendering import content
from bots.slack.streamed import streamed
from bots.text.cut import utf8
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
    from bots.slack.streams import Stream, Streams
    from core.turn import Turn

# https://docs.slack.dev/messaging/message-metadata: by it a message is found again whose ts was never written down.
METADATA_TYPE = "bobbin_turn"
_MOST_LOOKS = 5  # calls to read what was said since a question


class SlackHands:
    """The hands of one call of `show`. The id of a message is its ts."""

    def __init__(
        self, api: Api, pace: Pace, identity: Identity, turn: Turn, note: Note[Where], *, roots: Roots, streams: Streams
    ) -> None:
        """By *identity* the bot's messages are told from others'. *roots* are told of the thread that it begins."""
        self._roots = roots
        self._streams = streams
        self._numbers = {message.id: number for number, message in enumerate(note.messages)}
        self._api = api
        self._pace = pace
        self._identity = identity
        self._turn = turn
        self.where = note.where
        self.has_ended_stream = False  # as it should end: with all that was to be shown

    async def prepare(self, deed: Deed) -> None:
        if deed == "post":
            await self._pace.post(self._turn.id, self.where.channel)
        elif deed == "edit" and not self.where.stream:  # else it isn't known yet what is to be called
            await self._pace.update(self._turn.id)

    async def post(self, number: int, page: Page, plainness: int) -> str:
        await self._end_stream()
        ts = await self._begin_stream(number, page, plainness) or await self._api.post(
            channel=self.where.channel,
            thread_ts=self.where.thread_ts,
            metadata=self._metadata(number),
            **content(page, plainness, self._turn),
        )
        self._numbers[ts] = number
        if self._is_to_begin:
            await self._begin(ts)
        return ts

    def _metadata(self, number: int) -> dict[str, Any]:
        return {"event_type": METADATA_TYPE, "event_payload": {"turn": self._turn.id, "page": number}}

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

    # Streams

    async def _begin_stream(self, number: int, page: Page, plainness: int) -> str:
        """Return the ts of the message, empty if it is to be posted."""
        where = self.where
        if self._turn.is_over or plainness or not (where.may_stream and page.text) or not page.is_plain:
            return ""
        if not (said := streamed(page.text, is_open=True).text):
            return ""
        team = self._identity.team
        ts = await self._streams.start(where.channel, where.thread_ts, page, number, said, team=team)
        self.where = replace(where, stream=ts)
        return ts

    async def _grow(self, stream: Stream, page: Page, plainness: int) -> bool:
        """Have it show *page*; return False if its message is to be updated from now on, as it is no stream any more."""
        stream.page = page
        if self._turn.is_over:
            self.has_ended_stream = await self._stop(stream, plainness)
            return self.has_ended_stream
        if plainness or not page.text or not page.is_plain or not stream.is_sure or self._streams.is_old(stream):
            await self._stop(stream, plainness)
            return False
        said = streamed(page.text, is_open=True).text
        if stream.appended.startswith(said):
            return True  # the rest is held back, until it is known what it is
        if not said.startswith(stream.appended) or utf8(said) > STREAM_BYTES:
            await self._stop(stream, plainness)
            return False
        return await self._streams.append(stream, said[len(stream.appended) :])

    async def _stop(self, stream: Stream, plainness: int = 0) -> bool:
        """End it with the rest of its page; return whether all of that is there."""
        page = stream.page
        more: dict[str, Any] = {"metadata": self._metadata(stream.number)}
        whole = streamed(page.text, is_open=False) if page.text and not plainness else None
        is_whole = (
            whole and whole.is_exact and whole.text.startswith(stream.appended) and utf8(whole.text) <= STREAM_BYTES
        )
        if not (whole and is_whole):
            await self._streams.stop(stream, **more)
            return False
        if blocks := [*joined(page.under), *footer(page, self._turn)]:
            more["blocks"] = blocks
        return await self._streams.stop(stream, whole.text[len(stream.appended) :], **more)

    async def _end_stream(self) -> None:
        """End the one of the page before."""
        if not self.where.stream:
            return
        if stream := self._streams.get(self.where.channel, self.where.stream):
            async with stream.lock:
                is_there = await self._stop(stream)
            if not is_there:
                await self._pace.update(self._turn.id)
                await self._update(stream.ts, content(stream.page, 0, self._turn))
        self.where = replace(self.where, stream="")

    def is_growing(self, message: Message) -> bool:
        return message.id == self.where.stream

    async def take_over(self) -> str:
        """End what a process left that is no more; return the message, which shows nobody knows how much of its page."""
        ts, channel = self.where.stream, self.where.channel
        if not ts or self._streams.get(channel, ts):
            return ""
        await self._streams.take_over(channel, ts)
        self.where = replace(self.where, stream="")
        return ts

    async def edit(self, message: Message, page: Page, plainness: int) -> str | None:
        if self.is_growing(message):
            stream = self._streams.get(self.where.channel, message.id)
            if stream and await self._has_grown(stream, page, plainness):
                return message.id
            await self.take_over()
            await self._pace.update(self._turn.id)
        elif self.where.stream:  # `prepare` left it to this
            await self._pace.update(self._turn.id)
        return await self._edit(message, page, plainness)

    async def _has_grown(self, stream: Stream, page: Page, plainness: int) -> bool:
        try:
            async with stream.lock:
                has_grown = await self._grow(stream, page, plainness)
        except ThreadGone as gone:
            self.where = replace(self.where, stream="")
            if gone.code == MESSAGE_GONE:
                raise AnswerDeleted(gone.detail, code=gone.code) from gone
            raise
        if self._turn.is_over or not has_grown:
            self.where = replace(self.where, stream="")
        return has_grown

    async def _update(self, ts: str, said: dict[str, Any]) -> None:
        # What was a stream may not say yet what it is.
        is_direct = self.where.channel.startswith("D")
        more = {"metadata": self._metadata(self._numbers[ts])} if is_direct and ts in self._numbers else {}
        await self._api.update(channel=self.where.channel, ts=ts, **said, **more)

    async def _edit(self, message: Message, page: Page, plainness: int) -> str | None:
        try:
            await self._update(message.id, content(page, plainness, self._turn))
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
        if self.is_growing(message):
            if stream := self._streams.get(self.where.channel, message.id):
                await self._streams.stop(stream)
            self.where = replace(self.where, stream="")
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
        found: dict[int, str] = {}
        left_behind = []
        async for message in self._said():
            if (number := self._number_of(message)) is not None:
                found[number] = str(message["ts"])  # the newest of each: an older one could not be edited any more
            elif self._is_left_behind(message):
                left_behind.append(str(message["ts"]))
        for ts in left_behind:
            await self._streams.take_over(self.where.channel, ts)
            number = len(found)
            found[number] = ts
            self._numbers[ts] = number
        return found

    def _is_left_behind(self, message: dict[str, Any]) -> bool:
        """Is it a stream that nobody ended? Only its end says of which turn it is, and others have come to theirs."""
        is_stream = message.get("streaming_state") in ("in_progress", "errored")
        return bool(
            self.where.may_stream and is_stream and isinstance(message.get("ts"), str) and not message.get("metadata")
        )

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
            await self._pace.read(where.thread_ts)
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
