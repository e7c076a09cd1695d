"""The nouns of a Discord guild, as the stand-in remembers them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any

from sandbox.discord.snowflakes import made_at

Json = dict[str, Any]


class ChannelKind(IntEnum):
    """https://discord.com/developers/docs/resources/channel#channel-object-channel-types"""

    TEXT = 0
    DM = 1
    GROUP_DM = 3
    CATEGORY = 4
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


class MessageKind(IntEnum):
    """https://discord.com/developers/docs/resources/message#message-object-message-types"""

    DEFAULT = 0
    CHANNEL_NAME_CHANGE = 4
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER_MESSAGE = 21
    CONTEXT_MENU_COMMAND = 23


class Flag(IntFlag):
    """https://discord.com/developers/docs/resources/message#message-object-message-flags"""

    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    HAS_SNAPSHOT = 1 << 14
    IS_COMPONENTS_V2 = 1 << 15


SYSTEM_MESSAGES = frozenset(
    {MessageKind.CHANNEL_NAME_CHANGE, MessageKind.THREAD_CREATED, MessageKind.THREAD_STARTER_MESSAGE}
)


@dataclass(slots=True, eq=False)
class Role:
    id: int
    name: str
    permissions: int
    position: int = 0
    mentionable: bool = False
    bot_id: int | None = None  # of the bot whose managed role it is


@dataclass(slots=True, eq=False)
class User:
    id: int
    name: str
    is_bot: bool = False
    roles: list[int] = field(default_factory=list)
    accepts_dms: bool = True
    locale: str = "en-US"
    shown: str = ""  # what people see, if it is another than the name
    nick: str | None = None  # what they see in this server
    is_webhook: bool = False  # a name under which messages come, and nobody who is there

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(frozen=True, slots=True)
class Overwrite:
    is_member: bool  # else it is for a role
    allow: int
    deny: int


@dataclass(slots=True, eq=False)
class ThreadState:
    """What a thread has that other channels have not."""

    owner_id: int
    created: datetime
    archive_changed: datetime
    auto_archive_minutes: int
    archived: bool = False
    locked: bool = False
    members: dict[int, datetime] = field(default_factory=dict)
    message_count: int = 0
    total_message_sent: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    id: int
    kind: ChannelKind
    name: str
    parent_id: int | None = None
    position: int = 0
    topic: str | None = None
    recipient_id: int | None = None  # the person at the other end of a DM
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    thread: ThreadState | None = None
    tags: list[Json] = field(default_factory=list)
    applied_tags: list[int] = field(default_factory=list)
    flags: int = 0
    messages: dict[int, "Message"] = field(default_factory=dict)
    last_message_id: int | None = None
    is_elsewhere: bool = False  # in a guild where the bot is not

    @property
    def is_dm(self) -> bool:
        return self.kind in (ChannelKind.DM, ChannelKind.GROUP_DM)

    @property
    def is_foreign(self) -> bool:
        """Is the bot not there? Then it hears only of the commands of those who have added it to their account."""
        return self.is_elsewhere or self.kind is ChannelKind.GROUP_DM


@dataclass(frozen=True, slots=True)
class File:
    """A file that a person or a bot attaches."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"
    description: str | None = None
    seconds: float | None = None  # how long it sounds, for a voice message
    told_size: int | None = None  # bytes, if Discord is to tell of others than there are


@dataclass(frozen=True, slots=True)
class Poll:
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    file: File
    channel_id: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message showed, from a moment on."""

    at: datetime
    content: str
    embeds: list[Json]
    components: list[Json]


@dataclass(slots=True, eq=False)
class Message:
    id: int
    channel: Channel
    author: User
    content: str = ""
    kind: MessageKind = MessageKind.DEFAULT
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    more: Json = field(
        default_factory=dict
    )  # what else a person sent, as payloads have it: a sticker, a poll, a forward
    flags: int = 0
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    names: dict[str, str] = field(default_factory=dict)  # what people see for `<@1>`, `<@&2>` and `<#3>`
    pings: frozenset[int] = frozenset()  # ids of the people whom it notified when it was sent
    reply_to: Json | None = None  # Discord's message_reference
    nonce: str | int | None = None
    edited: datetime | None = None
    deleted: bool = False
    thread: Channel | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict)  # emoji: ids of users
    only_for: int | None = None  # the one person who sees an ephemeral message
    interaction: "Interaction | None" = None
    history: list[Shown] = field(default_factory=list)

    @property
    def created(self) -> datetime:
        return made_at(self.id)

    @property
    def is_ephemeral(self) -> bool:
        return self.only_for is not None

    @property
    def is_thinking(self) -> bool:
        return bool(self.flags & Flag.LOADING)


class InteractionKind(IntEnum):
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-type"""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


@dataclass(slots=True, eq=False)
class Interaction:
    """One thing a person asked of the bot, and what came of it so far."""

    id: int
    token: str
    kind: InteractionKind
    user: User
    channel: Channel
    data: Json
    name: str  # of the command, or the custom id
    made: float  # seconds on the monotonic clock
    source: Message | None = None  # the message that carries the pressed component
    acknowledged: bool = False
    failed: bool = False  # nobody answered in time
    expired: bool = False  # by a fault, before its time
    ephemeral: bool = False
    response: Message | None = None
    followups: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    modal: Json | None = None

    @property
    def thinking(self) -> bool:
        return self.response is not None and self.response.is_thinking

    @property
    def answered(self) -> bool:
        """The person sees an answer: a message, choices or a modal; an acknowledgement alone is none."""
        has_message = self.response is not None and not self.thinking
        return has_message or self.choices is not None or self.modal is not None

    @property
    def error(self) -> str | None:
        return "The application did not respond" if self.failed else None

    @property
    def messages(self) -> list[Message]:
        """The answer and its follow-ups, as far as they still exist."""
        first = [self.response] if self.response else []
        return [message for message in [*first, *self.followups] if not message.deleted]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that somebody is about to send; checked already."""

    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    more: Json = field(default_factory=dict)
    flags: int = 0
    nonce: str | int | None = None
    kind: MessageKind = MessageKind.DEFAULT
    reply_to: Message | None = None
    reference: Json | None = None  # of a system message, which refers to a thread
