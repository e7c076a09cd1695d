"""Posts, edits, deletes and finds messages in Discord, within its budget; opens the thread for the first."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import discord
from discord.utils import MISSING

from bots.discord import threads
from bots.discord.api import edit_response
from bots.discord.buttons import row_of
from bots.discord.errors import ARCHIVED, TOKEN_GONE, UNKNOWN_MESSAGE, UNREADABLE, translate, translated
from bots.discord.events import thread_name
from bots.discord.ids import age, message_of
from bots.discord.note import BY_TOKEN, ORIGINAL, Starter, Where
from bots.discord.rendering import content
from bots.discord.token import opened
from bots.reply.note import Message
from core.errors import AnswerDeleted, ChatBusy, ChatForbidden, ChatUnclear, StorageUnavailable, ThreadGone
from core.thread import Thread, ThreadId
from core.turn import TurnId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container, Mapping, Sequence

    from bots.discord.pace import Pace
    from bots.discord.threads import Threads
    from bots.discord.times import Times
    from bots.reply.delivery import Deed
    from bots.reply.note import Note
    from bots.reply.page import Page
    from core.secret_box import SecretBox
    from core.turn import QuestionKey, Turn

# Calls, and messages in each: https://discord.com/developers/docs/resources/message#get-channel-messages
_MOST_LOOKS, _PAGE = 3, 100
Grow = Callable[[Thread, ThreadId, TurnId], Awaitable[None]]
_FILE, OVER = -1, -2  # in place of a page's number
_MOST_LOST = 50  # pages that a process may have posted without writing it down


class TokenOver(ThreadGone):
    """Only a command's token opened the place, and its time is over."""


class Changes(TypedDict, total=False):
    """What an edit sets; a view of None takes the buttons off."""

    content: str
    view: discord.ui.View | None


class DiscordHands:
    """The hands of one call of `show`."""

    def __init__(
        self,
        client: discord.Client,
        secret_box: SecretBox,
        pace: Pace,
        turn: Turn,
        where: Where,
        *,
        opener: Threads,
        times: Times,
        deleted: Container[int] = (),
        grow: Grow,
    ) -> None:
        """*deleted*: the messages of which it is known that they are gone; *grow* as `bots.kit.Notes` describes it."""
        self._grow = grow
        self._client = client
        self._threads = opener
        self._times = times
        self._pace = pace
        self._deleted = deleted
        self._turn = turn
        self._question = turn.question.key
        self._asked_at = where.since or message_of(turn.question.key)
        self._webhook = _webhook(client, secret_box, where)
        self._is_private = turn.question.is_private
        self._is_by_token_only = where.is_by_token_only(turn)
        self.where = where

    async def prepare(self, deed: Deed) -> None:
        if deed == "post":
            with translated():
                if self._threads.is_to_be_made(self._client, self.where):
                    await self._pace.soon(self._turn.id)
                self.where = await self._threads.opened(self._client, self.where)
        await self._call()

    async def post(self, number: int, page: Page, plainness: int) -> str:  # noqa: ARG002
        text, view = content(page), self._view(page)
        with translated():
            if self._is_by_token_only:
                return await self._post_by_token(self._open_webhook(), text, view)
            try:
                id_ = await self._post_in_channel(number, text, view)
            except discord.HTTPException as refusal:
                # A command can be used where the bot itself may not write.
                if self._webhook is None or not isinstance(translate(refusal), ChatForbidden):
                    raise
            else:
                if self.where.branch_of and number == 0:
                    await self._branch(int(id_))
                return id_
            await self._call()
            return await self._post_by_token(self._webhook, text, view)

    async def _branch(self, message: int) -> None:
        """Make the thread of our first message, and have it known from where that goes on."""
        thread = Thread(
            ThreadId(f"{self._turn.question.thread.workspace}/{message}"),
            self._turn.question.thread.chat,
            self._turn.question.thread.within,
        )
        try:
            await self._grow(thread, self._turn.question.thread.id, self._turn.id)
        except StorageUnavailable as unavailable:  # the message is found again, and this tried
            raise ChatBusy(code="not_kept") from unavailable
        name = thread_name(self._turn.question.text)
        starter = Starter(self.where.channel, message, name)
        await self._pace.soon(self._turn.id)
        # Where none can be made, people go on by a reply.
        await self._threads.opened(self._client, Where(channel=message, starter=starter))

    async def edit(self, message: Message, page: Page, plainness: int) -> str | None:  # noqa: ARG002
        changes = Changes()
        if page.text is not None:
            changes["content"] = content(page)
        # Left alone where there is none, so that an update stays as small as it can be; one that was found may have one.
        if page.buttons or message.has_footer or message.has_stop or not message.digest:
            changes["view"] = self._view(page)
        with translated():
            try:
                if self._is_by_token_only:
                    self._open_webhook()
                if message.id == ORIGINAL or (message.id.startswith(BY_TOKEN) and self._webhook):
                    return await self._edit_by_token(message.id, changes)
                return await self._edit_in_channel(message.id, changes)
            except discord.NotFound as refusal:
                if refusal.code != UNKNOWN_MESSAGE:
                    raise
                self._give_up()
                raise AnswerDeleted(code=str(refusal.code)) from refusal

    async def delete(self, message: Message) -> None:
        with translated(), contextlib.suppress(discord.NotFound):  # somebody was quicker
            if self._webhook and message.id.startswith(BY_TOKEN):
                await self._webhook.delete_message(_by_token(message.id))
            elif message.id != ORIGINAL and not self._is_by_token_only:
                await self._channel().get_partial_message(_in_channel(message.id)).delete()
        self._give_up()

    async def find(self, note: Note[Where], pages: Sequence[Page | None]) -> Mapping[int, str] | None:
        """Look among what was said since the question, where Discord may no longer know a nonce again.

        A message is known by its nonce; where Discord doesn't tell it, by its text.
        """
        if self._is_by_token_only:
            return {}  # nobody else sees it, or the bot does not see the place
        if self._age < self._times.nonce_trusted:
            return None
        first = len(note.messages)
        nonces = {self._nonce(number): number for number in range(first, first + _MOST_LOST)}
        tried = {content(note.tried): first} if note.tried else {}
        texts = tried | {content(page): number for number, page in enumerate(pages) if page and number >= first}
        known = {message.id.removeprefix(BY_TOKEN) for message in note.messages}
        found: dict[int, str] = {}
        with translated():
            async for id_, nonce, text in self._said():
                number = texts.get(text) if nonce is None else nonces.get(str(nonce))
                if number is not None and id_ not in known:
                    found.setdefault(number, id_)
            if self.where.branch_of and 0 in found:
                await self._branch(int(found[0]))
        return found

    async def attach(self, name: str, content: bytes, *, may_be_there: bool) -> str:
        nonce = self._nonce(_FILE)
        with translated():
            if self._is_by_token_only:
                return await self._attach_by_token(self._open_webhook(), name, content)
            if may_be_there and self._age >= self._times.nonce_trusted:
                async for id_, said_nonce, _ in self._said():
                    if str(said_nonce) == nonce:
                        return id_
            try:
                message = await self._channel().send(file=discord.File(io.BytesIO(content), name), nonce=nonce)
            except discord.HTTPException as refusal:
                if self._webhook is None or not isinstance(translate(refusal), ChatForbidden):
                    raise
            else:
                return str(message.id)
            await self._call()
            return await self._attach_by_token(self._webhook, name, content)

    async def detach(self, file: str) -> None:
        await self.delete(Message(file))

    def is_deleted(self, message: Message) -> bool:
        return message.id != ORIGINAL and _in_channel(message.id) in self._deleted

    async def _call(self) -> None:
        """Before each call in the channel: wait until it may be made."""
        await self._pace.call(self._turn.id, self.where.channel, is_over=self._turn.is_over)

    def _view(self, page: Page) -> discord.ui.View | None:
        return row_of(page.buttons, self.where, self._question) if page.buttons else None

    async def _edit_by_token(self, id_: str, changes: Changes) -> str | None:
        if self._webhook:
            try:
                return f"{BY_TOKEN}{await edit_response(self._webhook, _by_token(id_), **changes)}"
            except discord.HTTPException as refusal:
                was_deleted = refusal.code == UNKNOWN_MESSAGE and id_ != ORIGINAL
                if was_deleted or refusal.code not in TOKEN_GONE:
                    raise
                self._webhook, self.where = None, replace(self.where, token=None)
        if id_ == ORIGINAL and self._turn.waited:
            id_ = await self._response()
        if id_ != ORIGINAL and not self._is_by_token_only:
            return await self._edit_in_channel(id_, changes)
        self._give_up()
        return None

    async def _response(self) -> str:
        """Find the message in which we said, in response to the command, that its question waits."""
        async for message in self._ours():
            match message:
                case {"id": str(id_), "interaction_metadata": {"id": str(command)}, "flags": int(flags)} if (
                    command == str(self._asked_at) and not flags & discord.MessageFlags.loading.flag
                ):
                    return id_
        return ORIGINAL

    def _open_webhook(self) -> discord.Webhook:
        if self._webhook is None:
            raise TokenOver("what opens the response to a command is no longer good", code="token")
        return self._webhook

    async def _post_by_token(self, webhook: discord.Webhook, text: str, view: discord.ui.View | None) -> str:
        return await self._sent_by_token(webhook, content=text, suppress_embeds=True, view=view or MISSING)

    async def _attach_by_token(self, webhook: discord.Webhook, name: str, content: bytes) -> str:
        return await self._sent_by_token(webhook, file=discord.File(io.BytesIO(content), name))

    async def _sent_by_token(self, webhook: discord.Webhook, **what: Any) -> str:
        try:
            message = await webhook.send(wait=True, ephemeral=self._is_private, **what)
        except discord.HTTPException as refusal:
            if self._is_by_token_only and refusal.code in TOKEN_GONE:
                raise TokenOver(code=str(refusal.code)) from refusal
            raise
        return f"{BY_TOKEN}{message.id}"

    async def _edit_in_channel(self, id_: str, changes: Changes) -> str:
        """Also what was said by a token that is gone by now, https://github.com/discord/discord-api-docs/discussions/3090."""
        # `Message.edit` of discord.py 2.7 would bring the link previews back; this one leaves them as they are.
        message = self._channel().get_partial_message(_in_channel(id_))
        try:
            await message.edit(**changes)
        except discord.HTTPException as refusal:
            if refusal.code != ARCHIVED:
                raise
            await threads.unarchive(self._client, self.where.channel, self._pace.soon)
            await self._call()
            await message.edit(**changes)
        return str(message.id)

    async def _post_in_channel(self, number: int, text: str, view: discord.ui.View | None) -> str:
        channel, where = self._channel(), self.where
        if number == 0 and where.reply_to:
            reference = discord.MessageReference(
                message_id=where.reply_to, channel_id=where.channel, fail_if_not_exists=False
            )
            sending = partial(channel.send, reference=reference, mention_author=False)
        else:
            sending = partial(channel.send)
        message = await sending(text, nonce=self._nonce(number), suppress_embeds=True, view=view)
        if str(message.content).strip() != text.strip():
            # The nonce was known: this is what a process before us posted, and had no time to write down.
            await self._call()
            await self._edit_in_channel(str(message.id), Changes(content=text, view=view))
        return str(message.id)

    @property
    def _age(self) -> float:
        """Seconds since the question was asked: nothing was posted before."""
        return age(self._asked_at)

    async def _said(self) -> AsyncIterator[tuple[str, object, str]]:
        """Yield id, nonce (None where it isn't told) and text of what we said since the question."""
        async for message in self._ours():
            match message:
                case {"id": str(id_), "content": str(text)}:
                    yield id_, message.get("nonce"), text

    async def _ours(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what we said since the question, as Discord tells it; each has an id."""
        me, after = self._client.user.id if self._client.user else 0, self._asked_at
        for _ in range(_MOST_LOOKS):
            await self._call()
            said: object = await self._client.http.logs_from(self.where.channel, _PAGE, after=after)
            if not isinstance(said, list):
                raise ChatUnclear("no messages in the answer", code=UNREADABLE)
            for message in said:
                match message:
                    case {"id": str(id_), "author": {"id": str(author)}} if author == str(me) and id_.isdigit():
                        yield message
            ids = [int(one["id"]) for one in said if isinstance(one, dict) and str(one.get("id")).isdigit()]
            after = max(ids, default=after)
            if len(said) < _PAGE:
                break

    def _channel(self) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(self.where.channel)

    def _give_up(self) -> None:
        self.where = replace(self.where, given_up=self.where.given_up + 1)

    def _nonce(self, number: int) -> str:
        return nonce(self._question, number, self.where.given_up)


def _by_token(id_: str) -> int:
    return ORIGINAL if id_ == ORIGINAL else _in_channel(id_)  # type: ignore[return-value]  # it is put into the path


def _in_channel(id_: str) -> int:
    return int(id_.removeprefix(BY_TOKEN))


def _webhook(client: discord.Client, secret_box: SecretBox, where: Where) -> discord.Webhook | None:
    """Return the door to a command's response, if it is open to us still."""
    token = opened(where, secret_box)
    if where.token is None or token is None:
        return None
    # Of the kind that may answer unseen by others, and with a state that knows buttons; `partial` makes none.
    data: Any = {"id": where.token.application, "type": discord.WebhookType.application.value, "token": token}
    return discord.Webhook.from_state(data, client._connection)  # noqa: SLF001


def nonce(question: QuestionKey, number: int, given_up: int = 0) -> str:
    """Return the same for every try to post a page, so that Discord posts it once.

    At most 25 characters: https://discord.com/developers/docs/resources/message#create-message
    """
    key = f"{question}#{number}" + (f"#{given_up}" if given_up else "")  # as earlier versions had it
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
