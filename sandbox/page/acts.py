"""The acts of people on the page, by name: each takes an object's fields, and refuses with a sentence what can't be done."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox import discord, slack
from sandbox.page.discord import DiscordView
from sandbox.page.slack import SlackView
from sandbox.slack.arguments import ApiError

Fields = dict[str, Any]
Act = Callable[[Fields], Awaitable[object]]
MOST_FILES = 10  # in a message, as on both platforms
SLACK_CHARACTERS = 40_000  # https://docs.slack.dev/changelog/2018-truncating-really-long-messages


class CantBeDone(Exception):
    """The text says to the one who wanted it why not."""


async def perform(acts: dict[str, Act], fields: Fields) -> object:
    """Do what *fields* name. Raises CantBeDone."""
    act = acts.get(str(fields.get("act")))
    if act is None:
        raise CantBeDone("The page asks for something that this sandbox does not know. Load it anew.")
    try:
        return await act(fields)
    except discord.Refusal as refusal:
        raise CantBeDone(f"Discord refuses: {refusal}") from refusal
    except ApiError as refusal:
        raise CantBeDone(f"Slack refuses: {refusal.answer.get('error')}") from refusal
    except KeyError as missing:
        raise CantBeDone(str(missing.args[0]) if missing.args else "Something is missing.") from missing
    except (ValueError, TypeError, LookupError) as problem:
        raise CantBeDone(str(problem)) from problem


class OnSlack:
    """The acts on the local Slack."""

    def __init__(self, local: slack.LocalSlack, view: SlackView) -> None:
        self._slack, self._view = local, view

    @property
    def acts(self) -> dict[str, Act]:
        return {
            "slack.say": self._say,
            "slack.edit": self._edit,
            "slack.delete": self._delete,
            "slack.react": self._react,
            "slack.click": self._click,
            "slack.shortcut": self._shortcut,
            "slack.submit": self._submit,
            "slack.close": self._close,
            "slack.stop": self._stop,
        }

    async def _say(self, fields: Fields) -> None:
        text = _text(fields, "text", SLACK_CHARACTERS)
        channel = self._slack.channel(_id(fields, "place"))
        person = _text(fields, "person")
        if text.startswith("/"):
            if fields.get("thread"):
                raise CantBeDone("Slack takes no slash commands in threads. Mention the bot there instead.")
            if fields.get("files"):
                raise CantBeDone("Slack's commands take no files. Mention the bot instead.")
            command, _, words = text.partition(" ")
            told = await self._slack.command(person, channel, command, words.strip(), wait=0.0)
            self._complain(told)
            return
        thread = _id(fields, "thread", at=2) or None
        files = [slack.SharedFile(name, content, kind) for name, content, kind in _files(fields)]
        if not text.strip() and not files:
            raise CantBeDone("There is nothing to send.")
        await self._slack.say(person, channel, text, thread, files=files)

    async def _edit(self, fields: Fields) -> None:
        message = self._view.find(_text(fields, "message"))
        self._own(fields, message)
        await self._slack.edit(message, _text(fields, "text", SLACK_CHARACTERS))

    async def _delete(self, fields: Fields) -> None:
        message = self._view.find(_text(fields, "message"))
        self._own(fields, message)
        await self._slack.delete(message, _text(fields, "person"))

    async def _react(self, fields: Fields) -> None:
        message, person = self._view.find(_text(fields, "message")), self._slack.user(_text(fields, "person"))
        name = _text(fields, "name", 100)
        there = any(one.name == name and person.id in one.users for one in message.reactions)
        await self._slack.react(person, message, name, take_back=there)

    async def _click(self, fields: Fields) -> None:
        on: slack.Message | str = (
            _id(fields, "view") if fields.get("view") else self._view.find(_text(fields, "message"))
        )
        value = fields.get("value")
        told = await self._slack.click(
            _text(fields, "person"), on, _text(fields, "action"), value=None if value is None else str(value)
        )
        self._complain(told)

    async def _shortcut(self, fields: Fields) -> None:
        message = self._view.find(_text(fields, "message")) if fields.get("message") else None
        self._complain(await self._slack.shortcut(_text(fields, "person"), _text(fields, "entry"), message))

    async def _submit(self, fields: Fields) -> object:
        values = fields.get("values")
        told = await self._slack.submit(
            _text(fields, "person"), _id(fields, "view"), values if isinstance(values, dict) else {}
        )
        self._view.refresh()
        self._complain(told)
        return (told.ack or {}).get("errors") or {}

    async def _close(self, fields: Fields) -> None:
        await self._slack.close_view(_text(fields, "person"), _id(fields, "view"))
        self._view.refresh()

    async def _stop(self, fields: Fields) -> None:
        await self._slack.stop_session(_text(fields, "person"), _id(fields, "thread"), _id(fields, "thread", at=2))
        self._view.refresh()

    def _own(self, fields: Fields, message: slack.Message) -> None:
        if self._slack.user(_text(fields, "person")).id != message.user:
            raise CantBeDone("People change only their own messages.")

    def _complain(self, told: slack.Interaction) -> None:
        self._view.refresh()
        if told.problem:
            raise CantBeDone(f"Slack says: {told.problem}. The bot has not answered in time.")


class OnDiscord:
    """The acts on the local Discord."""

    def __init__(self, local: discord.LocalDiscord, view: DiscordView) -> None:
        self._discord, self._view = local, view

    @property
    def acts(self) -> dict[str, Act]:
        return {
            "discord.say": self._say,
            "discord.post": self._post,
            "discord.edit": self._edit,
            "discord.delete": self._delete,
            "discord.react": self._react,
            "discord.click": self._click,
            "discord.menu": self._menu,
            "discord.submit": self._submit,
            "discord.close": self._close,
            "discord.thread": self._thread,
        }

    async def _say(self, fields: Fields) -> None:
        text, person = _text(fields, "text", None), _text(fields, "person")
        channel = self._discord.channel(_id(fields, "place"))
        files = [discord.File(name, content, kind) for name, content, kind in _files(fields)]
        if text.startswith("/"):
            name, options = discord.read_command(self._discord.world, channel, text, files)
            await self._discord.slash(person, channel, name, **options)
            return
        reply_to = self._view.find(_text(fields, "reply_to")) if fields.get("reply_to") else None
        if not text.strip() and not files:
            raise CantBeDone("There is nothing to send.")
        await self._discord.say(person, channel, text, reply_to=reply_to, attachments=files)

    async def _post(self, fields: Fields) -> None:
        forum = self._discord.channel(_id(fields, "place"))
        files = [discord.File(name, content, kind) for name, content, kind in _files(fields)]
        person, title, text = _text(fields, "person"), _text(fields, "title", 100), _text(fields, "text", None)
        await self._discord.post(person, forum, title, text, attachments=files)

    async def _edit(self, fields: Fields) -> None:
        message = self._view.find(_text(fields, "message"))
        await self._discord.edit(_text(fields, "person"), message, _text(fields, "text", 2_000))

    async def _delete(self, fields: Fields) -> None:
        await self._discord.delete(_text(fields, "person"), self._view.find(_text(fields, "message")))

    async def _react(self, fields: Fields) -> None:
        message, person = self._view.find(_text(fields, "message")), self._discord.user(_text(fields, "person"))
        name = _text(fields, "name", 100)
        there = person.id in message.reactions.get(name, [])
        await (self._discord.unreact if there else self._discord.react)(person, message, name)

    async def _click(self, fields: Fields) -> None:
        values = fields.get("values") or []
        message = self._view.find(_text(fields, "message"))
        await self._discord.click(
            _text(fields, "person"), message, _text(fields, "action"), values=[str(one) for one in values]
        )

    async def _menu(self, fields: Fields) -> None:
        message = self._view.find(_text(fields, "message"))
        await self._discord.menu(_text(fields, "person"), message, _text(fields, "entry"))

    async def _submit(self, fields: Fields) -> None:
        asked, values = self._view.form(_text(fields, "view")), fields.get("values")
        await self._discord.submit(asked, **(values if isinstance(values, dict) else {}))
        self._view.refresh()

    async def _close(self, fields: Fields) -> None:
        self._discord.close_form(self._view.form(_text(fields, "view")))
        self._view.refresh()

    async def _thread(self, fields: Fields) -> None:
        message = self._view.find(_text(fields, "message"))
        await self._discord.start_thread(_text(fields, "person"), message, _text(fields, "title", 100) or "A thread")


def _text(fields: Fields, name: str, most: int | None = 4_000) -> str:
    """Empty if it isn't there. *most*: characters; None: whoever gets it counts."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise CantBeDone(f"{name} has to be text.")
    if most is not None and len(value) > most:
        raise CantBeDone(f"That has {len(value):,} characters; {most:,} are the most. Send it as a file.")
    return value


def _id(fields: Fields, name: str, at: int = 1) -> str:
    """The platform's own id in a key of the feed: its second word, or its third."""
    parts = _text(fields, name).split(" ")
    return parts[at] if len(parts) > at else ""


def _files(fields: Fields) -> list[tuple[str, bytes, str]]:
    """Name, content and media type of each file."""
    given = fields.get("files") or []
    if not isinstance(given, list) or len(given) > MOST_FILES:
        raise CantBeDone(f"A message takes {MOST_FILES} files.")
    try:
        return [(str(one["name"]), base64.b64decode(one["content"], validate=True), str(one["kind"])) for one in given]
    except (binascii.Error, TypeError) as error:
        raise CantBeDone("A file can't be read.") from error
