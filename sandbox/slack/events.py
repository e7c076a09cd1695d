"""Changes in the workspace as the events that the Events API delivers.

The envelope: https://docs.slack.dev/apis/events-api#event-type-structure
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

from sandbox.slack.nouns import Change, ChangeKind, ChannelKind, JsonObject, Message, new_id
from sandbox.slack.objects import message_object

if TYPE_CHECKING:
    from sandbox.slack.installation import Installation
    from sandbox.slack.workspace import Workspace


class Events:
    """Turns each change into the events that the app is subscribed to and may see."""

    def __init__(self, workspace: Workspace, installation: Installation) -> None:
        self._workspace = workspace
        self._installation = installation
        self.origin = ""  # where files are served; known once the server listens

    def of(self, change: Change, *, mention_first: bool = False) -> list[JsonObject]:
        """The envelopes for one change, in the order in which they are sent."""
        if change.kind is ChangeKind.JOINED:
            return self._joined(change)
        if change.message is None or change.message.ephemeral_to or not self._sees(change.channel):
            return []
        match change.kind:
            case ChangeKind.POSTED:
                events = self._posted(change.message)
            case ChangeKind.CHANGED if change.before:
                events = self._rewritten("message_changed", change.message, change.before)
            case ChangeKind.DELETED:
                events = self._rewritten("message_deleted", None, change.message)
            case ChangeKind.REACTED | ChangeKind.UNREACTED:
                events = self._reacted(change, change.message)
            case _:
                events = []
        if mention_first:
            events.reverse()
        return [self.envelope(event, change.channel) for event in events]

    def home_opened(self, user: str, channel: str, tab: str) -> list[JsonObject]:
        """https://docs.slack.dev/reference/events/app_home_opened"""
        if not self._installation.receives("app_home_opened"):
            return []
        event: JsonObject = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab}
        event["event_ts"] = self._workspace.clock.next_ts()
        home = self._workspace.homes.get(user)
        if tab == "home" and home:
            event["view"] = self._workspace.views[home]
        return [self.envelope(event, channel)]

    def session_stopped(self, user: str, channel: str, thread_ts: str, streaming: list[str]) -> list[JsonObject]:
        """https://docs.slack.dev/reference/events/agent_session_stopped"""
        if not self._installation.receives("agent_session_stopped"):
            return []
        event: JsonObject = {"type": "agent_session_stopped", "user": user, "channel": channel, "thread_ts": thread_ts}
        event |= {"streaming_message_ts": streaming, "event_ts": self._workspace.clock.next_ts()}
        return [self.envelope(event, channel)]

    def envelope(self, event: JsonObject, channel: str) -> JsonObject:
        installation, team_id = self._installation, self._workspace.team_id
        context = {"et": event["type"], "tid": team_id, "aid": installation.app_id, "cid": channel}
        return {
            "token": installation.verification_token,
            "team_id": team_id,
            "context_team_id": team_id,
            "context_enterprise_id": None,
            "api_app_id": installation.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team_id,
                    "user_id": installation.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": self._is_shared(channel),
            "event_context": "4-" + base64.b64encode(json.dumps(context).encode()).decode().rstrip("="),
        }

    def _is_shared(self, channel: str) -> bool:
        place = self._workspace.channels.get(channel)
        return place is not None and self._workspace.is_shared(place)

    def _sees(self, channel: str) -> bool:
        return self._installation.bot.id in self._workspace.channels[channel].members

    def _posted(self, message: Message) -> list[JsonObject]:
        """The message, and beside it the mention, which direct messages never make: the same ts in two events."""
        kind = self._workspace.channels[message.channel].kind
        body = self._body(message) | {"channel": message.channel, "event_ts": message.ts}
        events: list[JsonObject] = []
        if self._installation.receives(f"message.{kind.scope}"):
            events.append(body | {"channel_type": kind.value})
        mentioned = f"<@{self._installation.bot.id}>" in message.text and message.user != self._installation.bot.id
        if mentioned and kind is not ChannelKind.DIRECT and self._installation.receives("app_mention"):
            # https://docs.slack.dev/reference/events/app_mention, without the files, as people have met it:
            # https://github.com/openclaw/openclaw/pull/62927
            bare = {name: value for name, value in body.items() if name not in ("files", "upload")}
            events.append(bare | {"type": "app_mention"})
        return events

    def _rewritten(self, subtype: str, after: Message | None, before: Message) -> list[JsonObject]:
        """https://docs.slack.dev/reference/events/message/message_changed and …/message_deleted"""
        kind = self._workspace.channels[before.channel].kind
        if not self._installation.receives(f"message.{kind.scope}"):
            return []
        now = self._workspace.clock.next_ts()
        event: JsonObject = {"type": "message", "subtype": subtype, "hidden": True, "channel": before.channel}
        event |= {"ts": now, "event_ts": now, "channel_type": kind.value, "previous_message": self._body(before)}
        if after:
            event["message"] = self._body(after)
        else:
            event["deleted_ts"] = before.ts
        return [event]

    def _reacted(self, change: Change, message: Message) -> list[JsonObject]:
        """https://docs.slack.dev/reference/events/reaction_added and …/reaction_removed"""
        kind = "reaction_added" if change.kind is ChangeKind.REACTED else "reaction_removed"
        if not self._installation.receives(kind):
            return []
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        event: JsonObject = {"type": kind, "user": change.user, "reaction": change.detail, "item": item}
        return [event | {"item_user": message.user, "event_ts": self._workspace.clock.next_ts()}]

    def _joined(self, change: Change) -> list[JsonObject]:
        """https://docs.slack.dev/reference/events/member_joined_channel"""
        if not self._sees(change.channel) or not self._installation.receives("member_joined_channel"):
            return []
        kind = self._workspace.channels[change.channel].kind
        event: JsonObject = {"type": "member_joined_channel", "user": change.user, "channel": change.channel}
        event |= {"channel_type": "C" if kind is ChannelKind.PUBLIC else "G", "team": self._workspace.team_id}
        event["event_ts"] = self._workspace.clock.next_ts()
        return [self.envelope(event, change.channel)]

    def _body(self, message: Message) -> JsonObject:
        return message_object(message, self._workspace, self._installation, self.origin)
