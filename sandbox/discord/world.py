"""The one guild, its people, channels and messages, and where to look them up."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.changes import Changes
from sandbox.discord.commands import CommandBook
from sandbox.discord.faults import Faults
from sandbox.discord.intents import Intent
from sandbox.discord.model import Attachment, Channel, ChannelKind, Interaction, Message, Role, User
from sandbox.discord.permissions import KEEPERS, MEMBERS, Permission, permissions_of
from sandbox.discord.refusals import Refusal
from sandbox.discord.snowflakes import Snowflakes

Json = dict[str, Any]
NO_INTENT = Intent(0)
TYPING_SECONDS = 10.0  # https://discord.com/developers/docs/resources/channel#trigger-typing-indicator


@dataclass(frozen=True, slots=True)
class Portal:
    """The switches of the developer portal: privileged intents that the application may ask for."""

    message_content: bool = True
    guild_members: bool = False
    guild_presences: bool = False

    @property
    def allowed(self) -> Intent:
        allowed = Intent(0)
        if self.message_content:
            allowed |= Intent.MESSAGE_CONTENT
        if self.guild_members:
            allowed |= Intent.GUILD_MEMBERS
        if self.guild_presences:
            allowed |= Intent.GUILD_PRESENCES
        return allowed

    @property
    def application_flags(self) -> int:
        """https://discord.com/developers/docs/resources/application#application-object-application-flags"""
        return (self.guild_presences << 13) | (self.guild_members << 15) | (self.message_content << 19)


@dataclass(frozen=True, slots=True)
class Event:
    """Something the gateway tells to those who asked for it."""

    name: str
    data: Json
    intents: Intent = NO_INTENT  # any of them lets it through; none: everybody gets it
    in_guild: bool = True
    without_content: Json | None = None  # what a connection without MESSAGE_CONTENT gets instead


@dataclass(eq=False)
class World:
    portal: Portal
    bot_name: str
    base_url: str = ""  # known once the server listens
    token: str = field(default_factory=lambda: f"local-bot-{secrets.token_hex(12)}", repr=False)
    snowflakes: Snowflakes = field(default_factory=Snowflakes)
    changes: Changes = field(default_factory=Changes)
    faults: Faults = field(default_factory=Faults)
    commands: CommandBook = field(default_factory=CommandBook)
    outlets: list[Callable[[Event], None]] = field(default_factory=list)  # gateways
    users: dict[int, User] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    interactions: dict[int, Interaction] = field(default_factory=dict)
    forms: dict[int, Interaction] = field(default_factory=dict)  # those whose modal is open to somebody
    nonces: dict[tuple[int, int, str], tuple[float, Message]] = field(default_factory=dict)
    typing: dict[tuple[int, int], float] = field(default_factory=dict)  # (channel, user): until, monotonic
    uploads: dict[int, Attachment] = field(default_factory=dict)  # every file, to be served
    installed: set[int] = field(default_factory=set)  # ids of the users who have added the bot to their account
    timers: set[asyncio.TimerHandle] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.application_id = self.snowflakes.next()
        self.cdn_key = secrets.token_bytes(16)
        self.guild_id = self.snowflakes.next()
        self.guild_name = "Bobbin's workshop"
        self.guild_locale = "en-US"
        self.guild_features: list[str] = []
        self.other_guild_id = self.snowflakes.next()  # the bot is not there
        self.roles[self.guild_id] = Role(self.guild_id, "@everyone", MEMBERS)
        keepers = self.add_role("keepers", KEEPERS)
        self.bot = User(self.application_id, self.bot_name, is_bot=True)
        own_role = self.add_role(self.bot_name, MEMBERS)
        own_role.bot_id = self.bot.id
        self.bot.roles.append(own_role.id)
        self.users[self.bot.id] = self.bot
        ada = self.add_user("ada", manages_guild=True)
        self.owner_id = ada.id
        self.keepers_id = keepers.id
        self.add_user("ben")
        workshop = self.add_channel("workshop", kind=ChannelKind.CATEGORY)
        for name in ("general", "random"):
            self.add_channel(name, parent=workshop)
        self.add_channel("ideas", kind=ChannelKind.FORUM, parent=workshop)

    @property
    def gateway_url(self) -> str:
        return self.base_url.replace("http", "ws", 1) + "/gateway"

    def add_role(self, name: str, permissions: int) -> Role:
        role = Role(self.snowflakes.next(), name, permissions, position=len(self.roles))
        self.roles[role.id] = role
        return role

    def add_user(self, name: str, *, manages_guild: bool = False, is_bot: bool = False) -> User:
        user = User(self.snowflakes.next(), name, is_bot=is_bot)
        if manages_guild:
            user.roles.append(next(role.id for role in self.roles.values() if role.name == "keepers"))
        self.users[user.id] = user
        return user

    def add_application(self, name: str, snowflake: int) -> User:
        role = self.add_role(name, MEMBERS)
        role.bot_id = snowflake
        user = self.users[snowflake] = User(snowflake, name, is_bot=True, roles=[role.id])
        return user

    def add_channel(self, name: str, *, kind: ChannelKind = ChannelKind.TEXT, parent: Channel | None = None) -> Channel:
        position = sum(1 for channel in self.channels.values() if channel.kind is kind)
        channel = Channel(self.snowflakes.next(), kind, name, parent.id if parent else None, position)
        self.channels[channel.id] = channel
        return channel

    def dm_with(self, user: User) -> Channel:
        for channel in self.channels.values():
            if channel.recipient_id == user.id:
                return channel
        channel = Channel(self.snowflakes.next(), ChannelKind.DM, user.name, recipient_id=user.id)
        self.channels[channel.id] = channel
        return channel

    def tell_gateway(self, event: Event) -> None:
        for outlet in self.outlets:
            outlet(event)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back after *seconds*, unless the stand-in stops before."""

        def ring() -> None:
            self.timers.discard(timer)
            callback()

        timer = asyncio.get_running_loop().call_later(seconds, ring)
        self.timers.add(timer)

    # Looking things up as the bot: what it may not know of is refused.

    def channel(self, snowflake: int) -> Channel:
        channel = self.channels.get(snowflake)
        if channel is None:
            raise Refusal(10003)
        if not self.bot_sees(channel):
            raise Refusal(50001)
        return channel

    def guild_of(self, channel: Channel) -> int | None:
        if channel.is_dm:
            return None
        return self.other_guild_id if channel.is_elsewhere else self.guild_id

    def bot_sees(self, channel: Channel) -> bool:
        if channel.is_foreign:
            return False
        allowed = permissions_of(self, self.bot, channel)
        if not allowed & Permission.VIEW_CHANNEL:
            return False
        if channel.kind is ChannelKind.PRIVATE_THREAD and channel.thread:
            return self.bot.id in channel.thread.members or bool(allowed & Permission.MANAGE_THREADS)
        return True

    def message(self, channel: Channel, snowflake: int) -> Message:
        message = channel.messages.get(snowflake)
        if message is None or message.is_ephemeral:
            raise Refusal(10008)
        return message

    def user(self, snowflake: int) -> User:
        if snowflake not in self.users:
            raise Refusal(10013)
        return self.users[snowflake]

    def permissions(self, user: User, channel: Channel | None = None) -> int:
        return permissions_of(self, user, channel)

    def require(self, channel: Channel | None, permission: Permission) -> None:
        if not permissions_of(self, self.bot, channel) & permission:
            raise Refusal(50013)

    def threads(self, parent: Channel | None = None) -> Iterator[Channel]:
        for channel in self.channels.values():
            if channel.thread and (parent is None or channel.parent_id == parent.id):
                yield channel

    def typing_in(self, channel: Channel) -> list[User]:
        now = time.monotonic()
        return [
            self.users[user_id]
            for (channel_id, user_id), until in self.typing.items()
            if channel_id == channel.id and until > now
        ]
