"""The platform that the methods of the Web API work on, and the shape of a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.slack.arguments import ApiError, Arguments
from sandbox.slack.nouns import Channel, ChannelKind, JsonObject, Message
from sandbox.slack.objects import message_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.slack.faults import Faults
    from sandbox.slack.installation import Installation
    from sandbox.slack.interactions import Interactions
    from sandbox.slack.limits import Limit
    from sandbox.slack.socket_mode import Sockets
    from sandbox.slack.workspace import Workspace


@dataclass(slots=True)
class Platform:
    workspace: Workspace
    installation: Installation
    interactions: Interactions
    sockets: Sockets
    faults: Faults
    origin: str = ""  # http://host:port, once the server listens

    def channel(self, channel_id: str) -> Channel:
        """A channel that the app may know of; others' private ones are as good as not there. Raises ApiError."""
        channel = self.workspace.channels.get(channel_id)
        if channel is None or (channel.is_private and not self.is_member(channel)):
            raise ApiError("channel_not_found")
        return channel

    def joined(self, channel_id: str) -> Channel:
        channel = self.channel(channel_id)
        if not self.is_member(channel):
            raise ApiError("not_in_channel")
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        """A message that everybody sees; what only one person sees can't be looked up again. Raises ApiError."""
        message = self.workspace.message(channel.id, ts)
        if message is None or message.ephemeral_to:
            raise ApiError("message_not_found")
        return message

    def parent(self, channel: Channel, thread_ts: str) -> Message | None:
        """The message that a thread hangs on, None if it is gone. Raises ApiError for a reply, which has no replies."""
        parent = self.workspace.message(channel.id, thread_ts)
        if parent is None or parent.ephemeral_to:
            return None
        if parent.thread_ts:
            raise ApiError("cannot_reply_to_message")
        return parent

    def is_member(self, channel: Channel) -> bool:
        return self.installation.bot.id in channel.members

    def shown(self, message: Message) -> JsonObject:
        return message_object(message, self.workspace, self.installation, self.origin)

    def told(self, message: Message) -> Any:
        """The message as it is read back, with what was added to it, or what stands in its place."""
        added = self.faults.added.get(message.ts, {})
        return self.shown(message) | added if isinstance(added, dict) else added

    def direct_channel(self, *others: str) -> Channel:
        """The direct conversation of the app with these, opened if need be."""
        members = (self.installation.bot.id, *others)
        kind = ChannelKind.DIRECT if len(others) == 1 else ChannelKind.GROUP_DIRECT
        names = [self.workspace.users[member].name for member in members]
        name = "" if kind is ChannelKind.DIRECT else f"mpdm-{'--'.join(names)}-1"
        return self.workspace.direct_channel(*members) or self.workspace.add_channel(name, members, kind)


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API.

    `scope` may hold `{kind}`, which stands for the first half of the scope of the channel's kind.
    """

    run: Callable[[Platform, Arguments], JsonObject]
    limit: Limit
    scope: str = ""
    app_level: bool = False  # called with the app's own token, not the bot's
    open: bool = False  # needs no token at all
