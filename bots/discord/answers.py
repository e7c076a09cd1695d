"""Makes a thread show a turn: page n of the answer in message n, and nothing written that stands there already."""

from __future__ import annotations

import contextlib
import hashlib
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypedDict

import discord
from discord.utils import MISSING

from bots.discord import threads
from bots.discord.buttons import again
from bots.discord.errors import ARCHIVED, TOKEN_GONE, UNKNOWN_MESSAGE, UNREADABLE, is_verdict, translate
from bots.discord.events import message_of
from bots.discord.note import Note, Post
from core.errors import ChatForbidden, ChatUnclear, ThreadGone

if TYPE_CHECKING:
    from collections.abc import Container

    from bots.discord.pace import Pace
    from bots.discord.pages import Pages
    from core.seal import Seal
    from core.turn import QuestionKey, Turn

# "In the past few minutes" Discord knows a nonce again: https://discord.com/developers/docs/resources/message#create-message
NONCE_TRUSTED = 60.0  # seconds; later, what may have been posted is looked for
_MOST_LOOKS, _PAGE = (
    3,
    100,
)  # calls, and messages in each: https://discord.com/developers/docs/resources/message#get-channel-messages
# https://discord.com/developers/docs/interactions/receiving-and-responding#edit-original-interaction-response
_ORIGINAL = "@original"


class Changes(TypedDict, total=False):
    """What an edit sets; a view of None takes the button off."""

    content: str
    view: discord.ui.View | None


class Showing:
    """One call of `show`. `note` is what is known at any moment, also when the call ends early."""

    def __init__(
        self, client: discord.Client, seal: Seal, pace: Pace, turn: Turn, note: Note, *, deleted: Container[int] = ()
    ) -> None:
        """*deleted*: the messages of which it is known that they are gone."""
        self._client = client
        self._pace = pace
        self._deleted = deleted
        self._turn = turn
        self._question = turn.question.key
        self._webhook = _webhook(client, seal, note)
        self.note = note

    async def show(self, pages: Pages) -> None:
        """Raises what discord.py raises, and ThreadGone; `note` then says how far it came."""
        self._check_nothing_deleted()
        if pages.texts:
            if threads.is_to_be_made(self._client, self.note):
                await self._pace.soon(self._turn.id)
            self.note = await threads.opened(self._client, self.note)
        last = len(pages.texts) - 1
        for number, text in enumerate(pages.texts):
            await self._show_page(number, text, pages.button if number == last else "", is_aside=pages.is_aside)
        # While an answer streams anew, after a restart or a click, what it had before stays until it is written over.
        if self._turn.is_over and (pages.texts or self.note.is_aside):
            await self._remove_from(len(pages.texts))
        for number, post in enumerate(self.note.posts):
            if post.has_button and not (pages.button and number == last):
                await self._take_button_off(number, post)

    def _check_nothing_deleted(self) -> None:
        """A page that is full is not edited any more, so that nobody would notice that it is gone."""
        if not self._turn.is_withdrawn and any(post.id in self._deleted for post in self.note.posts):
            raise ThreadGone("somebody deleted a part of the answer", code=str(UNKNOWN_MESSAGE))

    async def withdraw(self) -> None:
        """Take the answer away, and leave a thread that was made for nothing else."""
        await self._remove_from(0)
        if self.note.channel == message_of(self._question):
            await threads.leave(self._client, self.note.channel, self._pace.soon)

    async def _call(self) -> None:
        """Before each call in the channel: wait until it may be made."""
        await self._pace.call(self._turn.id, self.note.channel, is_over=self._turn.is_over)
        self._check_nothing_deleted()  # that may have taken its time

    async def _show_page(self, number: int, text: str, button: str, *, is_aside: bool) -> None:
        # A button says of which attempt it is, and those of earlier ones do nothing.
        digest = _digest(f"{button}{self._turn.attempt if button else ''}\0{text}")
        post = self.note.posts[number] if number < len(self.note.posts) else None
        if post and post.digest == digest:
            return
        # Left alone as long as there is none, so that an update stays as small as it can be.
        view = again(button, self.note.channel, self._question, self._turn.attempt) if button else None
        edited = await self._edited(post, text, view) if post else None
        shown = edited or await self._posted(number, text, view)
        shown = replace(shown, digest=digest, is_aside=is_aside, has_button=bool(button))
        self.note = self.note.placed(number, shown)

    async def _edited(self, post: Post, text: str, view: discord.ui.View | None) -> Post | None:
        """Return the post as it is now; None if it can't be edited any more, its token being gone."""
        changes = Changes(content=text)
        if view or post.has_button:
            changes["view"] = view
        if not post.by_token:
            await self._edit_in_channel(post.id, changes)
            return post
        return await self._edit_by_token(post, changes)

    async def _edit_by_token(self, post: Post, changes: Changes) -> Post | None:
        if self._webhook is None:
            return None
        where = post.id or _ORIGINAL
        await self._call()
        try:
            message = await self._webhook.edit_message(where, **changes)  # type: ignore[arg-type]
        except discord.HTTPException as refusal:
            was_deleted = refusal.code == UNKNOWN_MESSAGE and post.id
            if was_deleted or refusal.code not in TOKEN_GONE:
                raise
            self._webhook, self.note = None, replace(self.note, token=None)
            return None
        return replace(post, id=message.id)

    async def _edit_in_channel(self, message_id: int, changes: Changes) -> None:
        # `Message.edit` of discord.py 2.7 would bring the link previews back; this one leaves them as they are.
        message = self._channel().get_partial_message(message_id)
        await self._call()
        try:
            await message.edit(**changes)
        except discord.HTTPException as refusal:
            if refusal.code != ARCHIVED:
                raise
            await threads.unarchive(self._client, self.note.channel, self._pace.soon)
            await self._call()
            await message.edit(**changes)

    async def _take_button_off(self, number: int, post: Post) -> None:
        if post.by_token:
            await self._edit_by_token(post, Changes(view=None))
        else:
            await self._edit_in_channel(post.id, Changes(view=None))
        self.note = self.note.placed(number, replace(post, digest="", has_button=False))

    async def _posted(self, number: int, text: str, view: discord.ui.View | None) -> Post:
        """Post it, unless an earlier try did, of which nobody has heard."""
        was_complete, tried = self.note.is_complete, self.note.tried
        if not was_complete and self._age > NONCE_TRUSTED and (found := await self._found(number, {tried, text})):
            await self._edit_in_channel(found, Changes(content=text, view=view))
            return Post(found)
        # Until Discord has answered nobody knows whether it stands there, least of all after a cancellation.
        self.note = replace(self.note, is_complete=False, tried=text)
        try:
            post = await self._newly_posted(number, text, view)
        except discord.DiscordException as refusal:
            if is_verdict(refusal):
                self.note = replace(self.note, is_complete=was_complete, tried=tried)
            raise
        self.note = replace(self.note, is_complete=True, tried="")
        return post

    async def _newly_posted(self, number: int, text: str, view: discord.ui.View | None) -> Post:
        try:
            return await self._post_in_channel(number, text, view)
        except discord.HTTPException as refusal:
            # A command can be used where the bot itself may not write.
            if self._webhook is None or not isinstance(translate(refusal), ChatForbidden):
                raise
        await self._call()
        message = await self._webhook.send(text, wait=True, suppress_embeds=True, view=view or MISSING)
        return Post(message.id, by_token=True)

    async def _post_in_channel(self, number: int, text: str, view: discord.ui.View | None) -> Post:
        note, nonce = self.note, _nonce(self._question, number)
        channel = self._channel()
        if number == 0 and note.reply_to:
            reference = discord.MessageReference(
                message_id=note.reply_to, channel_id=note.channel, fail_if_not_exists=False
            )
            sending = partial(channel.send, reference=reference, mention_author=False)
        else:
            sending = partial(channel.send)
        await self._call()
        message = await sending(text, nonce=nonce, suppress_embeds=True, view=view)
        if str(message.content).strip() != text.strip():
            # The nonce was known: this is what a process before us posted, and had no time to write down.
            await self._edit_in_channel(message.id, Changes(content=text, view=view))
        return Post(message.id)

    @property
    def _age(self) -> float:
        """Seconds since the question was asked: nothing was posted before."""
        asked = discord.utils.snowflake_time(message_of(self._question))
        return (discord.utils.utcnow() - asked).total_seconds()

    async def _found(self, number: int, texts: set[str]) -> int | None:
        """Look among what was said since the question for a message of ours that shows page *number*; return its id.

        Known by its nonce; where Discord doesn't tell it, by one of *texts*.
        """
        nonce, known = _nonce(self._question, number), {post.id for post in self.note.posts}
        me, after = self._client.user.id if self._client.user else 0, message_of(self._question)
        for _ in range(_MOST_LOOKS):
            await self._call()
            said: object = await self._client.http.logs_from(self.note.channel, _PAGE, after=after)
            if not isinstance(said, list):
                raise ChatUnclear("no messages in the answer", code=UNREADABLE)
            for message in said:
                match message:
                    case {"id": str(id_), "author": {"id": str(author)}, "content": str(content)} if (
                        author == str(me) and id_.isdigit() and int(id_) not in known
                    ):
                        told = message.get("nonce")
                        if str(told) == nonce or (told is None and content in texts):
                            return int(id_)
            ids = [int(one["id"]) for one in said if isinstance(one, dict) and str(one.get("id")).isdigit()]
            after = max(ids, default=after)
            if len(said) < _PAGE:
                break
        return None

    async def _remove_from(self, pages: int) -> None:
        """An earlier attempt at this answer was longer, or nothing of it is to stay."""
        for post in reversed(self.note.posts[pages:]):
            with contextlib.suppress(discord.NotFound):  # somebody was quicker
                if post.by_token and self._webhook:
                    await self._call()
                    await self._webhook.delete_message(post.id or _ORIGINAL)  # type: ignore[arg-type]
                elif post.id:
                    await self._call()
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


def _digest(shown: str) -> str:
    return hashlib.blake2b(shown.encode(errors="surrogatepass"), digest_size=8).hexdigest()
