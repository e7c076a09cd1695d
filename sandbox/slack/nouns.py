"""The nouns of a local Slack workspace: users, channels, messages, and the changes that people see."""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JsonObject = dict[str, Any]

_ID_LETTERS = string.ascii_uppercase + string.digits


def new_id(prefix: str) -> str:
    """An id as Slack makes them: a letter for the kind of thing, then capitals and digits."""
    return prefix + "0" + "".join(secrets.choice(_ID_LETTERS) for _ in range(9))


class Clock:
    """Hands out message timestamps: seconds with six decimals, never the same one twice."""

    def __init__(self) -> None:
        self._behind = 0.0  # seconds
        self._last = 0

    def turn_back(self, seconds: float) -> None:
        """Stay that far behind from now on."""
        self._behind, self._last = seconds, 0

    def next_ts(self) -> str:
        self._last = max(self._last + 1, int((time.time() - self._behind) * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


class ChannelKind(StrEnum):
    """The value is what events call `channel_type`: https://docs.slack.dev/reference/events/message"""

    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"
    GROUP_DIRECT = "mpim"

    @property
    def scope(self) -> str:
        """The first half of scopes such as `channels:history`, and of events such as `message.channels`."""
        return {"channel": "channels", "group": "groups"}.get(self.value, self.value)

    @property
    def type_filter(self) -> str:
        """What `conversations.list` calls it in its argument `types`."""
        return {"channel": "public_channel", "group": "private_channel"}.get(self.value, self.value)


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    bot_id: str = ""  # empty for people
    is_guest: bool = False
    display_name: str = ""  # what people see, if it is another than the name
    team_id: str = ""  # of the workspace of somebody from another organisation
    app_id: str = ""  # of the app that a bot is of; empty for one that is older than apps, and for workflows
    locale: str = "en-US"  # that of their own Slack

    @property
    def is_bot(self) -> bool:
        return bool(self.bot_id)


@dataclass(frozen=True, slots=True)
class Group:
    """People who are mentioned together: https://docs.slack.dev/reference/objects/usergroup-object"""

    id: str
    handle: str
    users: tuple[str, ...]


@dataclass(slots=True)
class Channel:
    """A place for messages; its members come and go."""

    id: str
    name: str
    kind: ChannelKind
    created: int
    creator: str
    members: list[str] = field(default_factory=list)

    @property
    def is_private(self) -> bool:
        return self.kind is not ChannelKind.PUBLIC


@dataclass(frozen=True, slots=True)
class Reaction:
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """What a message showed from a moment on (seconds since the epoch)."""

    at: float
    text: str
    blocks: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class SharedFile:
    name: str
    content: bytes
    mimetype: str = "text/plain"
    id: str = field(default_factory=lambda: new_id("F"))
    # Messages tell its id alone, as in Slack Connect; the rest is for files.info.
    is_to_be_looked_up: bool = False
    more: JsonObject = field(default_factory=dict)  # what else Slack tells of it, or tells otherwise


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is now; `versions` is all it ever showed, the present included."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[JsonObject, ...] = ()
    thread_ts: str | None = None  # None outside threads; a parent doesn't carry it here
    bot_id: str = ""
    subtype: str = ""
    username: str = ""
    client_msg_id: str = ""  # people's clients set it, apps don't
    attachments: tuple[JsonObject, ...] = ()
    files: tuple[SharedFile, ...] = ()
    metadata: JsonObject | None = None
    more: JsonObject = field(default_factory=dict)  # what else Slack tells of it
    reactions: tuple[Reaction, ...] = ()
    edited_ts: str = ""  # set when the message wears the mark "(edited)"
    ephemeral_to: str = ""  # the one who sees it, when only one does
    versions: tuple[Version, ...] = ()


class ChangeKind(StrEnum):
    POSTED = "posted"
    CHANGED = "changed"
    DELETED = "deleted"
    REACTED = "reacted"
    UNREACTED = "unreacted"
    STATUS = "status"  # a status line beside a thread
    VIEW = "view"  # a modal or a home tab opened or changed
    JOINED = "joined"  # somebody entered a channel


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that people see happen; `message` as it is afterwards (for a deletion, as it last was)."""

    kind: ChangeKind
    channel: str = ""
    user: str = ""  # who did it
    message: Message | None = None
    before: Message | None = None  # what was there, for CHANGED
    detail: str = ""  # the reaction's name, the status, the id of the view
