"""The local Slack as states of the page: people, places, messages, status lines, modals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.page.feed import Feed, State
from sandbox.slack import ChangeKind, Channel, ChannelKind, LocalSlack, Message, SharedFile, User

NAME = "slack"


class SlackView:
    """Writes what is seen on *slack* into the feed."""

    def __init__(
        self,
        slack: LocalSlack,
        feed: Feed,
        shortcuts: tuple[dict[str, str], ...],
        wrote: Callable[[str], None] = lambda _: None,
    ) -> None:
        """*wrote* is told the id of each message that the bot has written or changed."""
        self._slack, self._feed, self._wrote = slack, feed, wrote
        self._offer(shortcuts)
        self.refresh()

    async def watch(self) -> None:
        """Go on until cancelled."""
        async for change in self._slack.watch():
            if change.message:
                self._show(change.message, is_gone=change.kind is ChangeKind.DELETED)
            self.refresh()

    def find(self, name: str) -> Message:
        """The message with this key in the feed. Raises KeyError if it is gone."""
        for channel in self._slack.channels.values():
            if name.startswith(key(channel.id)):
                found = (one for one in self._slack.messages(channel) if key(channel.id, one.ts) == name)
                if message := next(found, None):
                    return message
        raise KeyError("That message is not there any more.")

    def refresh(self) -> None:
        """Write what nobody tells of: people, places, status lines, and modals that were closed."""
        for user in self._slack.users.values():
            self._feed.put(_person(user, self._slack.bot_user_id))
        for channel in list(self._slack.channels.values()):
            self._feed.put(self._place(channel))
        self._sync("status", {f"status {key(*where)}": self._status(*where) for where in self._slack.statuses})
        working = [where for where, session in self._slack.sessions.items() if session.status == "processing"]
        self._sync("session", {f"session {key(*where)}": _session(*where) for where in working})
        self._sync("prompts", {one["key"]: one for one in map(self._prompts, self._slack.channels) if one["prompts"]})
        modals = {key(one["id"]): one for one in self._slack.views.values() if one["type"] == "modal"}
        self._sync("surface", {name: self._surface(name, view) for name, view in modals.items()})

    def _sync(self, kind: str, states: dict[str, State]) -> None:
        """Show *states* of a kind, and no others of this platform."""
        for one in self._feed.all(kind):
            if one["platform"] == NAME and one["key"] not in states:
                self._feed.drop(one["key"])
        for state in states.values():
            self._feed.put(state)

    def _status(self, channel: str, thread_ts: str) -> State:
        thread, words = key(channel, thread_ts), self._slack.status(channel, thread_ts)
        return {
            "type": "status",
            "key": f"status {thread}",
            "platform": NAME,
            "place": key(channel),
            "thread": thread,
            "text": words,
        }

    def _prompts(self, channel: str) -> State:
        """What the bot suggests to ask it there."""
        name = f"prompts {key(channel)}"
        prompts = list(self._slack.prompts(channel))
        return {"type": "prompts", "key": name, "platform": NAME, "place": key(channel), "prompts": prompts}

    def _show(self, message: Message, *, is_gone: bool) -> None:
        if is_gone:
            self._feed.drop(key(message.channel, message.ts))
        else:
            self._feed.put(self._message(message))
            if message.user == self._slack.bot_user_id:
                self._wrote(message.ts)

    def _offer(self, shortcuts: tuple[dict[str, str], ...]) -> None:
        for one in shortcuts:
            self._feed.put(
                {
                    "type": "offer",
                    "key": key("shortcut", one["callback_id"]),
                    "platform": NAME,
                    "kind": "message" if one["type"] == "message" else "anywhere",
                    "name": one["name"],
                    "id": one["callback_id"],
                }
            )

    def _place(self, channel: Channel) -> State:
        kinds = {ChannelKind.DIRECT: "dm", ChannelKind.GROUP_DIRECT: "group"}
        return {
            "type": "place",
            "key": key(channel.id),
            "platform": NAME,
            "kind": kinds.get(channel.kind, "channel"),
            "name": channel.name or "bobbin",
            "members": [key(member) for member in channel.members],
            "private": channel.is_private,
        }

    def _message(self, message: Message) -> State:
        return {
            "type": "message",
            "key": key(message.channel, message.ts),
            "platform": NAME,
            "place": key(message.channel),
            "thread": key(message.channel, message.thread_ts) if message.thread_ts else "",
            "at": float(message.ts) * 1000,
            "author": key(message.user),
            "name": message.username,
            "text": message.text,
            "blocks": list(message.blocks),
            "attachments": list(message.attachments),
            "files": [_file(one) for one in message.files],
            "reactions": [{"name": one.name, "by": [key(user) for user in one.users]} for one in message.reactions],
            "only_for": key(message.ephemeral_to) if message.ephemeral_to else "",
            "edited": bool(message.edited_ts),
            "versions": len(message.versions),
        }

    def _surface(self, name: str, view: dict[str, Any]) -> State:
        owner = key(self._slack.owner(view["id"]))
        return {"type": "surface", "key": name, "platform": NAME, "person": owner, "view": view}


def key(*parts: str) -> str:
    return " ".join((NAME, *parts))


def _session(channel: str, thread_ts: str) -> State:
    """An agent at work, whom people can stop."""
    thread = key(channel, thread_ts)
    return {"type": "session", "key": f"session {thread}", "platform": NAME, "place": key(channel), "thread": thread}


def _person(user: User, bot: str) -> State:
    roles = ["guest"] if user.is_guest else []
    return {
        "type": "person",
        "key": key(user.id),
        "platform": NAME,
        "name": user.display_name or user.name,
        "login": user.name,
        "bot": user.is_bot,
        "ours": user.id == bot,
        "roles": roles,
        "locale": user.locale,
    }


def _file(file: SharedFile) -> State:
    return {
        "name": file.name,
        "size": len(file.content),
        "kind": file.mimetype,
        "url": f"/file/slack/{file.id}",
    }
