"""The local Discord as states of the page: people, places, messages, who types, modals."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.discord import Channel, ChannelKind, Interaction, LocalDiscord, Message, User
from sandbox.discord.commands import CHAT_INPUT, MESSAGE_COMMAND
from sandbox.discord.model import SYSTEM_MESSAGES, Attachment
from sandbox.discord.world import TYPING_SECONDS
from sandbox.page.feed import Feed, State

NAME = "discord"
_KINDS = {
    ChannelKind.TEXT: "channel",
    ChannelKind.DM: "dm",
    ChannelKind.PUBLIC_THREAD: "thread",
    ChannelKind.PRIVATE_THREAD: "thread",
    ChannelKind.FORUM: "forum",
}


class DiscordView:
    """Writes what is seen on *discord* into the feed."""

    def __init__(self, discord: LocalDiscord, feed: Feed, wrote: Callable[[str], None] = lambda _: None) -> None:
        """*wrote* is told the id of each message that the bot has written or changed."""
        self._discord, self._feed, self._wrote = discord, feed, wrote
        self.refresh()

    async def watch(self) -> None:
        """Go on until cancelled."""
        async for change in self._discord.watch():
            subject = change.subject
            if isinstance(subject, Message):
                self._show(subject)
            elif isinstance(subject, Interaction):
                self._answer(subject)
            if change.what == "typing" and isinstance(subject, Channel):
                self._type(subject)
            if change.what != "call":
                self.refresh()

    def find(self, name: str) -> Message:
        """The message with this key in the feed. Raises KeyError if it is gone."""
        for channel in self._discord.world.channels.values():
            for message in channel.messages.values():
                if key(message.channel.id, message.id) == name:
                    return message
        raise KeyError("That message is not there any more.")

    def refresh(self) -> None:
        """Write what nobody tells of: people, places, and which commands there are."""
        for user in self._discord.world.users.values():
            self._feed.put(self._person(user))
        places = {key(one.id): one for one in self._discord.world.channels.values() if one.kind in _KINDS}
        for state in self._feed.all("place"):
            if state["platform"] == NAME and state["key"] not in places:
                self._feed.drop(state["key"])
        for channel in places.values():
            self._feed.put(_place(channel))
        for command in self._commands():
            self._feed.put(_offer(command))
        forms = {_form_key(one): one for one in self._discord.world.forms.values()}
        for state in self._feed.all("surface"):
            if state["platform"] == NAME and state["key"] not in forms:
                self._feed.drop(state["key"])
        for name, asked in forms.items():
            person = key(asked.user.id)
            self._feed.put({"type": "surface", "key": name, "platform": NAME, "person": person, "view": asked.modal})

    def form(self, name: str) -> Interaction:
        """What was answered with the modal that has this key. Raises KeyError if it is not open any more."""
        found = next((one for one in self._discord.world.forms.values() if _form_key(one) == name), None)
        if found is None:
            raise KeyError("That form is not open any more.")
        return found

    def _commands(self) -> list[dict[str, Any]]:
        book = self._discord.world.commands
        return [*book.all(None), *book.all(self._discord.guild_id)]

    def _show(self, message: Message) -> None:
        name = key(message.channel.id, message.id)
        if message.deleted:
            self._feed.drop(name)
            return
        self._feed.drop(f"typing {key(message.channel.id)} {key(message.author.id)}")
        self._feed.put(self._message(message))
        if message.author.id == self._discord.bot_user_id and not message.is_thinking:
            self._wrote(str(message.id))

    def _type(self, channel: Channel) -> None:
        for user in self._discord.typing(channel):
            self._feed.put(
                {
                    "type": "status",
                    "key": f"typing {key(channel.id)} {key(user.id)}",
                    "platform": NAME,
                    "place": key(channel.id),
                    "thread": "",
                    "text": f"{user.name} is typing…",
                    "until": (time.time() + TYPING_SECONDS) * 1000,
                }
            )

    def _answer(self, interaction: Interaction) -> None:
        if interaction.error:
            self._feed.put(
                {
                    "type": "notice",
                    "key": key("notice", str(interaction.id)),
                    "platform": NAME,
                    "person": key(interaction.user.id),
                    "at": time.time() * 1000,
                    "text": f"{interaction.error} ({interaction.name})",
                }
            )

    def _person(self, user: User) -> State:
        world = self._discord.world
        names = [world.roles[role].name for role in user.roles if role in world.roles]
        return {
            "type": "person",
            "key": key(user.id),
            "platform": NAME,
            "name": user.nick or user.shown or user.name,
            "login": user.name,
            "bot": user.is_bot,
            "ours": user.id == self._discord.bot_user_id,
            "roles": (["owner"] if user.id == world.owner_id else []) + ([] if user.is_bot else names),
            "locale": user.locale,
        }

    def _message(self, message: Message) -> State:
        return {
            "type": "message",
            "key": key(message.channel.id, message.id),
            "platform": NAME,
            "place": key(message.channel.id),
            "thread": "",
            "opens": key(message.thread.id) if message.thread else "",
            "at": message.created.timestamp() * 1000,
            "author": key(message.author.id),
            "name": message.author.name,
            "text": message.content,
            "names": dict(message.names),
            "embeds": list(message.embeds),
            "components": list(message.components),
            "files": [_file(one) for one in message.attachments],
            "reactions": [{"name": name, "by": list(map(key, by))} for name, by in message.reactions.items()],
            "only_for": key(message.only_for) if message.only_for else "",
            "reply_to": _replied(message),
            "command": f"/{message.interaction.name}" if message.interaction else "",
            "thinking": message.is_thinking,
            "system": message.kind in SYSTEM_MESSAGES,
            "more": message.more,
            "edited": message.edited is not None,
            "versions": len(message.history),
        }


def key(*parts: object) -> str:
    """A place by its id, a message by its place's and its own: a forum post's first message has the id of its thread."""
    return " ".join((NAME, *map(str, parts)))


def _form_key(asked: Interaction) -> str:
    return key("modal", asked.id)


def _replied(message: Message) -> str:
    """The key of the message that it replies to, empty if it is no reply."""
    reference = message.reply_to or {}
    is_reply = reference.get("message_id") and reference.get("type", 0) == 0
    return key(reference.get("channel_id", message.channel.id), reference["message_id"]) if is_reply else ""


def _place(channel: Channel) -> State:
    return {
        "type": "place",
        "key": key(channel.id),
        "platform": NAME,
        "kind": _KINDS[channel.kind],
        "name": channel.name,
        "parent": key(channel.parent_id) if channel.parent_id else "",
        "members": [key(channel.recipient_id)] if channel.recipient_id else [],
        "archived": bool(channel.thread and channel.thread.archived),
    }


def _offer(command: dict[str, Any]) -> State:
    kinds = {CHAT_INPUT: "command", MESSAGE_COMMAND: "message"}
    return {
        "type": "offer",
        "key": key("command", command["id"]),
        "platform": NAME,
        "kind": kinds.get(command["type"], "user"),
        "name": command["name"],
        "id": command["name"],
        "description": command.get("description", ""),
        "options": command.get("options") or [],
    }


def _file(attachment: Attachment) -> State:
    file = attachment.file
    url = f"/file/discord/{attachment.id}"
    return {"name": file.name, "size": len(file.content), "kind": file.content_type, "url": url}
