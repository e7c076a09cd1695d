"""Makes a thread show a turn: page n of the answer in message n, and nothing written that stands there already."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.slack import limits, markdown
from bots.slack.errors import MESSAGE_CLOSED, PAYLOAD, RATE_LIMITED, is_refusal
from bots.slack.footer import context, footer
from bots.slack.markdown import Page
from bots.slack.note import Note
from bots.text.cut import shortened
from bots.text.measure import Measure
from bots.text.pages import split
from bots.text.thoughts import visible
from core.errors import ChatBusy, ChatError, ChatForbidden, ChatRejected, ChatUnclear, EmptyAnswer, ThreadGone
from core.turn import Status

if TYPE_CHECKING:
    from bots.slack.api import Api
    from bots.slack.pace import Pace
    from core.turn import Turn

# https://docs.slack.dev/messaging/message-metadata: by it a message is found again whose ts was never written down.
METADATA_TYPE = "bobbin_turn"
# What Slack refused is tried in small pieces, each of which is all of the `text` as well.
_PLAIN = Measure(limit=limits.TEXT_LIMIT, length=limits.text_bytes)
_NOTHING_YET = "…"
_MOST_LOOKS = 5  # calls to read what was said since a question


class Showing:
    """One call of `show`. `note` is what is known at any moment, also when the call ends early."""

    def __init__(self, api: Api, pace: Pace, bot: str, turn: Turn, note: Note) -> None:
        """*bot* is the bot's own id, by which its messages are told from others'."""
        self._api = api
        self._pace = pace
        self._bot = bot
        self._turn = turn
        self.note = note

    async def show(self) -> None:
        """Raises a ChatError; `note` then says how far it came."""
        if self._turn.is_withdrawn:
            await self._withdraw()
            return
        while True:
            try:
                await self._show_pages()
            except ChatRejected as refusal:
                if refusal.code not in PAYLOAD or self.note.is_bare:
                    raise
                self.note = self.note.plainer()
            except ChatUnclear as reply:
                if is_refusal(reply) and self._turn.is_over:
                    self.note = self.note.refused()
                raise
            else:
                self.note = replace(self.note, refusals=0)
                return

    async def _show_pages(self) -> None:
        is_over, had_footer = self._turn.is_over, self.note.has_footer
        below = footer(self._turn)
        pages = self._pages()
        # Asked anew, or no longer waiting: what its messages say isn't true any more.
        is_stale = had_footer and bool(self.note.messages)
        if not pages and not is_over and (below or is_stale):
            pages = [Page("", limits.escaped(self._turn.aside) if below else _NOTHING_YET)]
        for number, page in enumerate(pages):
            await self._show_page(number, page, below if number == len(pages) - 1 else [])
        if had_footer or (pages and is_over):
            await self._remove_from(len(pages))
        self.note = replace(self.note, has_footer=bool(pages and below))

    async def _withdraw(self) -> None:
        if self.note.complete_for < self._turn.attempt:
            # Where it can't be looked for, what is known is all that can be taken away.
            with contextlib.suppress(ThreadGone, ChatForbidden):
                await self._find_messages()
        await self._remove_from(0)

    def _pages(self) -> list[Page]:
        turn, paged = self._turn, _plain_pages if self.note.is_plain else markdown.pages
        pages = paged(turn.answer, streaming=not turn.is_over)
        if turn.status is Status.ANSWERED and not pages:
            pages = paged(EmptyAnswer().sentence)  # it had thoughts, and no more
        measure = _PLAIN if self.note.is_plain else markdown.MEASURE
        pages = _under(pages, paged(turn.problem), measure)
        # Without blocks there is no other place for it.
        return _under(pages, paged(turn.aside), measure) if pages and self.note.is_bare else pages

    async def _show_page(self, number: int, page: Page, below: list[dict[str, Any]]) -> None:
        if number >= len(self.note.messages) and self.note.complete_for < self._turn.attempt:
            await self._find_messages()
        content = self._content(page, below)
        digest = _digest(content)
        if number >= len(self.note.messages):
            await self._post(number, content, digest)
        elif self.note.shown[number] != digest:
            await self._update(number, content, digest)

    async def _update(self, number: int, content: dict[str, Any], digest: str) -> None:
        await self._pace.update(self._turn.id)
        try:
            await self._api.update(channel=self.note.channel, ts=self.note.messages[number], **content)
        except ChatRejected as refusal:
            if refusal.code not in MESSAGE_CLOSED or not self._turn.is_over:
                raise  # while it streams, each update would be another message
            # The end goes into messages of its own, from this page on; what can be taken away of the old ones, is.
            closed, self.note = self.note.messages[number:], self.note.cut(number)
            await self._post(number, content, digest)
            for ts in closed:
                with contextlib.suppress(ChatError):
                    await self._api.delete(self.note.channel, ts)
        else:
            self.note = self.note.updated(number, digest)

    async def _post(self, number: int, content: dict[str, Any], digest: str) -> None:
        await self._pace.post(self._turn.id, self.note.channel)
        before = self.note
        # Until Slack has answered nobody knows whether it stands there, least of all after a cancellation.
        self.note = replace(before, complete_for=-1)
        try:
            ts = await self._api.post(
                channel=before.channel,
                thread_ts=before.thread_ts,
                metadata={"event_type": METADATA_TYPE, "event_payload": {"turn": self._turn.id, "page": number}},
                **content,
            )
        except ChatError as error:
            if not isinstance(error, ChatBusy) or error.code in RATE_LIMITED:
                self.note = before
            raise
        self.note = before.posted(ts, digest)

    def _content(self, page: Page, below: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the arguments that say it."""
        if self.note.is_bare:
            return {"text": limits.escaped(page.markdown) or page.fallback, "blocks": []}
        said = [_block(page, is_plain=self.note.is_plain)] if page.markdown else []
        return {"text": page.fallback, "blocks": (said + below) or [context(_NOTHING_YET)]}

    async def _remove_from(self, pages: int) -> None:
        """An earlier attempt at this answer was longer."""
        for ts in reversed(self.note.messages[pages:]):
            try:
                await self._api.delete(self.note.channel, ts)
            except (ThreadGone, ChatRejected) as refusal:  # somebody was quicker, or it isn't ours any more
                if isinstance(refusal, ChatRejected) and refusal.code not in MESSAGE_CLOSED:
                    raise
            self.note = self.note.cut(len(self.note.messages) - 1)

    async def _find_messages(self) -> None:
        """Look in the thread for messages of this turn that were posted, but not written down."""
        found: dict[int, str] = {}
        cursor = ""
        for _ in range(_MOST_LOOKS):
            await self._pace.read()
            answer = await self._api.replies(self.note.channel, self.note.thread_ts, self.note.question_ts, cursor)
            # The newest of each: an older one could not be edited any more.
            found |= {
                number: str(message["ts"])
                for message in answer["messages"]
                if isinstance(message, dict) and (number := self._number_of(message)) is not None
            }
            cursor = answer["response_metadata"]["next_cursor"]
            if not cursor:
                break
        while ts := found.get(len(self.note.messages)):
            self.note = self.note.posted(ts, digest="")
        self.note = replace(self.note, complete_for=self._turn.attempt)

    def _number_of(self, message: dict[str, Any]) -> int | None:
        """Return which page of this turn *message* shows, None if it is another message."""
        match message:
            case {
                "ts": str(),
                "bot_id": self._bot,
                "metadata": {"event_type": str(kind), "event_payload": {"turn": int(turn), "page": int(page)}},
            } if kind == METADATA_TYPE and turn == self._turn.id:
                return page
        return None


def _block(page: Page, *, is_plain: bool) -> dict[str, Any]:
    if not is_plain:
        # https://docs.slack.dev/reference/block-kit/blocks/markdown-block
        return {"type": "markdown", "text": page.markdown}
    # In rich text nothing is markup, so nothing can ping; and a section could not take the place of what Slack has made
    # of Markdown (block_mismatch): https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": page.markdown}]}
    return {"type": "rich_text", "elements": [section]}


def _under(pages: list[Page], more: list[Page], measure: Measure) -> list[Page]:
    """Put *more* under the answer, as a paragraph of its own: in the same message, if there is room by *measure*."""
    if not pages or not more:
        return pages + more
    last, first = pages[-1], more[0]
    together = f"{last.markdown}\n\n{first.markdown}"
    if not measure.holds(together):
        return pages + more
    room = limits.TEXT_LIMIT - limits.text_bytes(first.markdown) - 2
    fallback = f"{shortened(last.markdown, room, limits.text_bytes)}\n\n{first.markdown}"
    return [*pages[:-1], Page(together, limits.escaped(limits.fallback(fallback))), *more[1:]]


def _plain_pages(text: str, *, streaming: bool = False) -> list[Page]:
    parts = split(visible(text, streaming=streaming), _PLAIN)
    return [Page(part.text, limits.escaped(part.text)) for part in parts]


def _digest(content: dict[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
