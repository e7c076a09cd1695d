"""The workspace itself: who and what is in it, what happens to messages, and how watchers learn of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar
from weakref import WeakSet

from sandbox.slack.nouns import (
    Change,
    ChangeKind,
    Channel,
    ChannelKind,
    Clock,
    Group,
    JsonObject,
    Message,
    Reaction,
    SharedFile,
    User,
    Version,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Found = TypeVar("Found")

# Not on the pages of Slack's reference; known from what workspaces send: "subtype": "tombstone", by USLACKBOT.
TOMBSTONE = "tombstone"
SLACKBOT = "USLACKBOT"
STATUS_SECONDS = 120.0  # a status line fades: https://docs.slack.dev/reference/methods/assistant.threads.setStatus


@dataclass(frozen=True, slots=True)
class Shared:
    """A file, and the message in which it is."""

    file: SharedFile
    message: Message


@dataclass(slots=True)
class Growing:
    """A stream that is not over."""

    text: str
    blocks: tuple[JsonObject, ...]
    mode: str  # the argument by which it grows
    began: float  # by the clock that only runs forward


@dataclass(frozen=True, slots=True)
class Session:
    """What an agent is doing in a thread: https://docs.slack.dev/ai/agent-sessions."""

    status: str
    title: str
    history: tuple[str, ...] = ()  # every status it had


class Watch:
    """An endless async iterator over changes, from the moment it was made."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[Change] = asyncio.Queue()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        return await self.changes.get()


class Workspace:
    """Slack's memory. Everything that happens ends in `announce`."""

    def __init__(self, name: str = "Sandbox") -> None:
        self.team_id = new_id("T")
        self.name = name
        self.domain = "sandbox"
        self.clock = Clock()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.views: dict[str, JsonObject] = {}
        self.view_owners: dict[str, str] = {}  # view → the id of whoever sees it
        self.homes: dict[str, str] = {}  # user → the id of the view on their home tab
        self.listeners: list[Callable[[Change], None]] = []
        self.uploads: dict[str, SharedFile] = {}  # of the app, not shared yet; empty until they were sent
        self.streams: dict[tuple[str, str], Growing] = {}  # by channel and ts
        self.stopped_streams: set[tuple[str, str]] = set()  # by a person
        self.sessions: dict[tuple[str, str], Session] = {}  # by channel and thread
        self.prompts: dict[tuple[str, str], tuple[JsonObject, ...]] = {}  # by channel, and thread if there is one
        self._messages: dict[str, dict[str, Message]] = {}  # channel → ts → message, oldest first
        self._threads: dict[tuple[str, str], dict[str, None]] = {}  # channel and parent → the ts of each reply
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self._watches: WeakSet[Watch] = WeakSet()
        self._next_change = asyncio.Event()

    # Who and where

    def add_user(
        self,
        name: str,
        *,
        is_bot: bool = False,
        is_guest: bool = False,
        is_external: bool = False,
        is_app: bool = False,
        display_name: str = "",
        locale: str = "en-US",
    ) -> User:
        """A new person, a guest, somebody of another organisation; a bot or workflow, or the bot of another app."""
        user = User(
            id=new_id("U"),
            name=name,
            bot_id=new_id("B") if is_bot or is_app else "",
            is_guest=is_guest,
            team_id=new_id("T") if is_external else "",
            display_name=display_name,
            app_id=new_id("A") if is_app else "",
            locale=locale,
        )
        self.users[user.id] = user
        return user

    def add_group(self, handle: str, users: Iterable[str]) -> Group:
        group = Group(new_id("S"), handle, tuple(users))
        self.groups[group.id] = group
        return group

    def add_channel(self, name: str, members: Iterable[str], kind: ChannelKind = ChannelKind.PUBLIC) -> Channel:
        prefix = {ChannelKind.DIRECT: "D", ChannelKind.GROUP_DIRECT: "G"}.get(kind, "C")
        people = list(dict.fromkeys(members))
        creator = people[0] if people else ""
        channel = Channel(new_id(prefix), name, kind, int(time.time()), creator, people)
        self.channels[channel.id] = channel
        self._messages[channel.id] = {}
        return channel

    def is_shared(self, channel: Channel) -> bool:
        """Is somebody of another organisation there? https://docs.slack.dev/apis/slack-connect"""
        return any(self.users[member].team_id for member in channel.members if member in self.users)

    def direct_channel(self, *members: str) -> Channel | None:
        """The direct conversation of exactly these, if they ever opened one."""
        kinds = (ChannelKind.DIRECT, ChannelKind.GROUP_DIRECT)
        direct = (channel for channel in self.channels.values() if channel.kind in kinds)
        return next((channel for channel in direct if set(channel.members) == set(members)), None)

    def join(self, channel: Channel, user: User) -> None:
        if user.id not in channel.members:
            channel.members.append(user.id)
            self.announce(Change(ChangeKind.JOINED, channel.id, user.id))

    # Messages

    def messages(self, channel: str) -> list[Message]:
        """Everything in the channel, replies and what only one person sees included, oldest first."""
        return list(self._messages.get(channel, {}).values())

    def message(self, channel: str, ts: str) -> Message | None:
        return self._messages.get(channel, {}).get(ts)

    def file(self, file_id: str) -> Shared | None:
        """A shared file that still stands somewhere, in the message in which it was shared first."""
        everything = (message for channel in self._messages.values() for message in channel.values())
        shared = (Shared(file, message) for message in everything for file in message.files)
        return next((each for each in shared if each.file.id == file_id), None)

    def replies(self, parent: Message) -> list[Message]:
        there = self._messages[parent.channel]
        replies = (there[ts] for ts in self._threads.get((parent.channel, parent.ts), {}))
        return [reply for reply in replies if not reply.ephemeral_to]

    def post(self, message: Message) -> Message:
        first = Version(time.time(), message.text, message.blocks)
        message = replace(message, versions=(first,))
        self._messages[message.channel][message.ts] = message
        if message.thread_ts:
            self._threads.setdefault((message.channel, message.thread_ts), {})[message.ts] = None
        self._clear_status(message)
        self.announce(Change(ChangeKind.POSTED, message.channel, message.user, message))
        return message

    def change(self, after: Message) -> Message:
        """Show *after* where a message of its channel and ts was."""
        before = self._messages[after.channel][after.ts]
        version = Version(time.time(), after.text, after.blocks)
        after = replace(after, versions=(*before.versions, version))
        self._messages[after.channel][after.ts] = after
        self.announce(Change(ChangeKind.CHANGED, after.channel, after.user, after, before))
        return after

    def delete(self, message: Message, by: str) -> None:
        """Take a message away; where replies hang on it, a tombstone stays until the last of them is gone."""
        if self.replies(message):
            self.change(_tombstone(message))
            return
        self.streams.pop((message.channel, message.ts), None)
        del self._messages[message.channel][message.ts]
        self._threads.get((message.channel, message.thread_ts or ""), {}).pop(message.ts, None)
        self.announce(Change(ChangeKind.DELETED, message.channel, by, message))
        parent = self.message(message.channel, message.thread_ts or "")
        if parent and parent.subtype == TOMBSTONE and not self.replies(parent):
            self.delete(parent, by)

    def react(self, message: Message, user: str, name: str) -> None:
        others = tuple(each for each in message.reactions if each.name != name)
        users = next((each.users for each in message.reactions if each.name == name), ())
        after = replace(message, reactions=(*others, Reaction(name, (*users, user))))
        self._messages[message.channel][message.ts] = after
        self.announce(Change(ChangeKind.REACTED, message.channel, user, after, message, name))

    def unreact(self, message: Message, user: str, name: str) -> None:
        less = (
            Reaction(each.name, tuple(one for one in each.users if one != user)) if each.name == name else each
            for each in message.reactions
        )
        after = replace(message, reactions=tuple(each for each in less if each.users))
        self._messages[message.channel][message.ts] = after
        self.announce(Change(ChangeKind.UNREACTED, message.channel, user, after, message, name))

    # Streams, and the sessions that they are in

    def begin_stream(self, message: Message, text: str, blocks: tuple[JsonObject, ...], mode: str) -> None:
        self.streams[message.channel, message.ts] = Growing(text, blocks, mode, time.monotonic())
        self.post(message)
        key = (message.channel, message.thread_ts or "")
        if message.thread_ts and key not in self.sessions:
            self.set_session(*key, "processing")

    def end_stream(self, message: Message, state: str) -> Message:
        self.streams.pop((message.channel, message.ts), None)
        return self.change(replace(message, more={**message.more, "streaming_state": state}))

    def stop_streams(self, channel: str, thread_ts: str) -> list[str]:
        """As a person does it: what grows in a thread is cut off; return which messages that were."""
        there = [each for each in self.messages(channel) if thread_ts in (each.ts, each.thread_ts)]
        growing = [each for each in there if (channel, each.ts) in self.streams]
        for message in growing:
            self.stopped_streams.add((channel, message.ts))
            self.end_stream(message, "completed")
        return [message.ts for message in growing]

    def set_session(self, channel: str, thread_ts: str, status: str, title: str = "") -> Session:
        """A title is taken with the first status only."""
        known = self.sessions.get((channel, thread_ts), Session("", title))
        session = replace(known, status=status, history=(*known.history, status))
        self.sessions[channel, thread_ts] = session
        self.announce(Change(ChangeKind.STATUS, channel, detail=status))
        return session

    def rename_session(self, channel: str, thread_ts: str, title: str) -> Session:
        session = self.sessions[channel, thread_ts] = replace(self.sessions[channel, thread_ts], title=title)
        self.announce(Change(ChangeKind.STATUS, channel, detail=title))
        return session

    # Beside messages

    def set_status(self, channel: str, thread_ts: str, status: str) -> None:
        self._statuses[channel, thread_ts] = (status, time.time())
        self.announce(Change(ChangeKind.STATUS, channel, detail=status))

    def status(self, channel: str, thread_ts: str) -> str:
        """The status line beside a thread, empty when there is none."""
        status, since = self._statuses.get((channel, thread_ts), ("", 0.0))
        return status if time.time() - since < STATUS_SECONDS else ""

    def statuses(self) -> dict[tuple[str, str], str]:
        """All status lines, by channel and thread."""
        found = {where: self.status(*where) for where in self._statuses}
        return {where: status for where, status in found.items() if status}

    def _clear_status(self, message: Message) -> None:
        if message.bot_id and self._statuses.pop((message.channel, message.thread_ts or ""), ("", 0.0))[0]:
            self.announce(Change(ChangeKind.STATUS, message.channel))

    def show_view(self, view: JsonObject, user: str) -> None:
        self.views[view["id"]] = view
        if user:
            self.view_owners[view["id"]] = user
        self.announce(Change(ChangeKind.VIEW, user=user, detail=view["id"]))

    # Watching

    def watch(self) -> Watch:
        watch = Watch()
        self._watches.add(watch)
        return watch

    def announce(self, change: Change) -> None:
        for watch in list(self._watches):
            watch.changes.put_nowait(change)
        for listener in self.listeners:
            listener(change)
        self.wake()

    def wake(self) -> None:
        """Have everybody in `wait_for` look again."""
        happened, self._next_change = self._next_change, asyncio.Event()
        happened.set()

    async def wait_for(self, predicate: Callable[[], Found], timeout: float) -> Found:  # noqa: ASYNC109 — part of the promise: a wait that ends
        """What *predicate* returns, as soon as that is true; raises TimeoutError when it never is."""
        async with asyncio.timeout(timeout):
            while True:
                next_change = self._next_change  # taken before looking, so that nothing slips in between
                if found := predicate():
                    return found
                await next_change.wait()


def _tombstone(message: Message) -> Message:
    return Message(
        channel=message.channel,
        ts=message.ts,
        user=SLACKBOT,
        text="This message was deleted.",
        subtype=TOMBSTONE,
        versions=message.versions,
    )
