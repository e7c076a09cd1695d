"""Makes a thread show a turn: page n of the answer in message n, and nothing written that stands there already."""

from __future__ import annotations

import contextlib
import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from bots.discord import markdown, threads
from bots.discord.errors import ARCHIVED, TOKEN_GONE, UNKNOWN_MESSAGE
from bots.discord.note import Note, Post

if TYPE_CHECKING:
    from core.seal import Seal
    from core.turn import QuestionKey, Turn

QUOTE_LIMIT = 300  # characters of a question asked by a command
_NOTHING_CAME = "*Stopped.*"
_FORBIDDEN = 403  # HTTP


def pages_of(turn: Turn, note: Note) -> list[str]:
    """Return what the thread should show, in messages; nothing as long as there is only a sign of life to give."""
    pages = _with_problem(
        markdown.pages(turn.answer, streaming=not turn.is_over),
        markdown.pages(turn.problem),
    )
    if not note.is_command:
        return pages
    if not pages:
        # Otherwise Discord would say “thinking…” for ever.
        return [_NOTHING_CAME] if turn.is_over and all(post.id == 0 for post in note.posts) else []
    return _with_problem(
        markdown.pages(f"{_quote(turn.question.text)}\n\n{turn.answer}", streaming=not turn.is_over),
        markdown.pages(turn.problem),
    )


def _quote(question: str) -> str:
    line = " ".join(question.split())
    if len(line) > QUOTE_LIMIT:
        line = line[: QUOTE_LIMIT - 1].rstrip() + "…"
    # A zero-width space after "<", so that no tag of the asker's is taken for the model's.
    return "> " + discord.utils.escape_markdown(line).replace("<", "<\u200b")


def _with_problem(pages: list[str], problem: list[str]) -> list[str]:
    """Put the problem under the answer, as a paragraph of its own: in the same message if there is room."""
    if not pages or not problem:
        return pages + problem
    together = f"{pages[-1]}\n\n{problem[0]}"
    if len(together.encode("utf-16-le")) // 2 > markdown.PAGE_LIMIT:
        return pages + problem
    return [*pages[:-1], together, *problem[1:]]


class Showing:
    """One call of `show`. `note` is what is known at any moment, also when the call ends early."""

    def __init__(self, client: discord.Client, seal: Seal, question: QuestionKey, note: Note) -> None:
        self._client = client
        self._question = question
        self._webhook = _webhook(client, seal, note)
        self.note = note
        self.calls = 0  # that count in the channel's budget

    async def show(self, pages: list[str], *, is_over: bool) -> None:
        """Raises what discord.py raises; `note` then says how far it came."""
        self.note = await threads.opened(self._client, self.note)
        for number, page in enumerate(pages):
            await self._show_page(number, page)
        # While an answer streams anew after a restart, what it had before stays until it is written over.
        if pages and is_over:
            await self._remove_from(len(pages))

    async def _show_page(self, number: int, page: str) -> None:
        digest = _digest(page)
        post = self.note.posts[number] if number < len(self.note.posts) else None
        if post and post.digest == digest:
            return
        self.calls += 1
        edited = await self._edited(post, page) if post else None
        self.note = self.note.placed(number, edited or await self._posted(number, page))

    async def _edited(self, post: Post, page: str) -> Post | None:
        """Return the post as it is now; None if it can't be edited any more, its token being gone."""
        if not post.by_token:
            await self._edit_in_channel(post.id, page)
            return replace(post, digest=_digest(page))
        if self._webhook is None:
            return None
        where = post.id or "@original"
        try:
            # https://discord.com/developers/docs/interactions/receiving-and-responding#edit-original-interaction-response
            message = await self._webhook.edit_message(where, content=page)  # type: ignore[arg-type]
        except discord.HTTPException as refusal:
            was_deleted = refusal.code == UNKNOWN_MESSAGE and post.id
            if was_deleted or refusal.code not in TOKEN_GONE:
                raise
            self._webhook, self.note = None, replace(self.note, token=None)
            return None
        return Post(message.id, _digest(page), by_token=True)

    async def _edit_in_channel(self, message_id: int, page: str) -> None:
        # `Message.edit` of discord.py 2.7 would bring the link previews back; this one leaves them as they are.
        message = self._channel().get_partial_message(message_id)
        try:
            await message.edit(content=page)
        except discord.HTTPException as refusal:
            if refusal.code != ARCHIVED:
                raise
            await threads.unarchive(self._client, self.note.channel)
            await message.edit(content=page)

    async def _posted(self, number: int, page: str) -> Post:
        try:
            return await self._post_in_channel(number, page)
        except discord.HTTPException as refusal:
            # A command can be used where the bot itself may not write.
            if self._webhook is None or refusal.status != _FORBIDDEN:
                raise
        message = await self._webhook.send(page, wait=True, suppress_embeds=True)
        return Post(message.id, _digest(page), by_token=True)

    async def _post_in_channel(self, number: int, page: str) -> Post:
        note, nonce = self.note, _nonce(self._question, number)
        if number == 0 and note.reply_to:
            reference = discord.MessageReference(
                message_id=note.reply_to, channel_id=note.channel, fail_if_not_exists=False
            )
            message = await self._channel().send(
                page, nonce=nonce, suppress_embeds=True, reference=reference, mention_author=False
            )
        else:
            message = await self._channel().send(page, nonce=nonce, suppress_embeds=True)
        if message.content.strip() != page.strip():
            # The nonce was known: this is what a process before us posted, and had no time to write down.
            await self._edit_in_channel(message.id, page)
        return Post(message.id, _digest(page))

    async def _remove_from(self, pages: int) -> None:
        """An earlier attempt at this answer was longer."""
        for post in reversed(self.note.posts[pages:]):
            self.calls += 1
            with contextlib.suppress(discord.NotFound):  # somebody was quicker
                if post.by_token and self._webhook:
                    await self._webhook.delete_message(post.id)
                else:
                    await self._channel().get_partial_message(post.id).delete()
            self.note = self.note.cut(len(self.note.posts) - 1)

    def _channel(self) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(self.note.channel)


def _webhook(client: discord.Client, seal: Seal, note: Note) -> discord.Webhook | None:
    """Return the door to a command's response, if it is open to us still."""
    if note.token is None or time.time() > note.token.until:
        return None
    token = seal.open(note.token.sealed)
    return discord.Webhook.partial(note.token.application, token, client=client) if token else None


def _nonce(question: QuestionKey, number: int) -> str:
    """The same for every try to post a page, so that Discord posts it once.

    At most 25 characters: https://discord.com/developers/docs/resources/message#create-message
    """
    return hashlib.blake2b(f"{question}#{number}".encode(), digest_size=12).hexdigest()


def _digest(page: str) -> str:
    return hashlib.blake2b(page.encode(errors="surrogatepass"), digest_size=8).hexdigest()
