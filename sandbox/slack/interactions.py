"""Commands, clicks, shortcuts and modals: what they send, and what the app may do in return.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments
from sandbox.slack.composing import Content, content
from sandbox.slack.nouns import Channel, ChannelKind, JsonObject, Message, User
from sandbox.slack.objects import message_object

if TYPE_CHECKING:
    from sandbox.slack.installation import Installation
    from sandbox.slack.workspace import Workspace

TRIGGER_SECONDS = 3.0  # https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses
RESPONSE_SECONDS, RESPONSE_USES = 1_800.0, 5  # …/handling-user-interaction#message_responses


@dataclass(slots=True)
class Interaction:
    """One thing that a person did, and all that came of it so far."""

    user: User
    channel: Channel | None
    source: Message | None  # the message that was clicked
    view_id: str  # the view that was clicked or submitted, empty for others
    trigger_id: str
    token: str  # the secret part of its response URL
    began: float = field(default_factory=time.monotonic)
    trigger_used: bool = False
    response_uses: int = 0
    ack: JsonObject | None = None  # what the acknowledgement carried
    problem: str = ""  # what the person was told when the app didn't acknowledge, such as operation_timeout
    messages: list[Message] = field(default_factory=list)  # what was answered, by ack or response URL
    views: list[str] = field(default_factory=list)  # ids of the modals that it opened

    @property
    def answered(self) -> bool:
        return bool(self.problem or self.messages or self.views)


class Interactions:
    """Remembers what people did while the app may still answer it."""

    def __init__(
        self, workspace: Workspace, installation: Installation, trigger_seconds: float = TRIGGER_SECONDS
    ) -> None:
        self._workspace = workspace
        self._installation = installation
        self._trigger_seconds = trigger_seconds
        self._by_trigger: dict[str, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        self.origin = ""

    def begin(
        self, user: User, channel: Channel | None = None, source: Message | None = None, view_id: str = ""
    ) -> Interaction:
        numbers = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}"
        trigger_id, token = f"{numbers}.{secrets.token_hex(16)}", secrets.token_urlsafe(18)
        interaction = Interaction(user, channel, source, view_id, trigger_id, token)
        self._by_trigger[interaction.trigger_id] = interaction
        self._by_token[interaction.token] = interaction
        return interaction

    def exchange(self, trigger_id: str) -> Interaction:
        """Use up a trigger. Raises ApiError when it is unknown, used, or too old."""
        interaction = self._by_trigger.get(trigger_id)
        if interaction is None:
            raise ApiError("invalid_trigger_id")
        if interaction.trigger_used:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() - interaction.began > self._trigger_seconds:
            raise ApiError("expired_trigger_id")
        interaction.trigger_used = True
        return interaction

    def respond(self, token: str, body: JsonObject) -> None:
        """A post to a response URL. Raises ApiError."""
        interaction = self._by_token.get(token)
        if interaction is None or time.monotonic() - interaction.began > RESPONSE_SECONDS:
            raise ApiError("expired_url")
        if interaction.response_uses >= RESPONSE_USES:
            raise ApiError("used_url")
        self.answer(interaction, body)
        interaction.response_uses += 1

    def answer(self, interaction: Interaction, body: JsonObject) -> None:
        """Show what the app answers, by acknowledgement or response URL. Raises ApiError."""
        arguments = Arguments(body)
        if arguments.flag("delete_original") and interaction.source:
            self._workspace.delete(interaction.source, self._installation.bot.id)
            return
        said = content(arguments)
        if arguments.flag("replace_original") and interaction.source:
            interaction.messages.append(self._replace(interaction, said))
        else:
            interaction.messages.append(self._post(interaction, said, arguments))
        self._workspace.wake()

    def _replace(self, interaction: Interaction, said: Content) -> Message:
        source = interaction.source
        current = self._workspace.message(source.channel, source.ts) if source else None
        if current is None:
            raise ApiError("message_not_found")
        interaction.source = self._workspace.change(replace(current, text=said.text, blocks=said.blocks))
        return interaction.source

    def _post(self, interaction: Interaction, said: Content, arguments: Arguments) -> Message:
        if interaction.channel is None:
            raise ApiError("channel_not_found")
        bot = self._installation.bot
        in_channel = arguments.text("response_type") == "in_channel"
        message = Message(
            channel=interaction.channel.id,
            ts=self._workspace.clock.next_ts(),
            user=bot.id,
            bot_id=bot.bot_id,
            text=said.text,
            blocks=said.blocks,
            attachments=said.attachments,
            thread_ts=arguments.text("thread_ts") or None,
            ephemeral_to="" if in_channel else interaction.user.id,
        )
        return self._workspace.post(message)

    # Payloads

    def command(self, interaction: Interaction, command: str, text: str) -> JsonObject:
        """https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling"""
        channel = interaction.channel
        return {
            "token": self._installation.verification_token,
            "team_id": self._workspace.team_id,
            "team_domain": self._workspace.domain,
            "channel_id": channel.id if channel else "",
            "channel_name": _command_name(channel) if channel else "",
            "user_id": interaction.user.id,
            "user_name": interaction.user.name,
            "command": command,
            "text": text,
            "api_app_id": self._installation.app_id,
            "is_enterprise_install": "false",
            "response_url": self._url("commands", interaction),
            "trigger_id": interaction.trigger_id,
        }

    def block_actions(self, interaction: Interaction, action: JsonObject, view: JsonObject | None = None) -> JsonObject:
        """https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
        action = action | {"action_ts": self._workspace.clock.next_ts()}
        payload = self._payload("block_actions", interaction)
        payload |= {"api_app_id": self._installation.app_id, "actions": [action]}
        if view:
            return payload | {"container": {"type": "view", "view_id": view["id"]}, "view": view}
        source, channel = interaction.source, interaction.channel
        if source is None or channel is None:
            raise ValueError("A click is on a message in a channel, or in a view.")
        payload["container"] = {
            "type": "message",
            "message_ts": source.ts,
            "channel_id": channel.id,
            "is_ephemeral": bool(source.ephemeral_to),
        } | ({"thread_ts": source.thread_ts} if source.thread_ts else {})
        payload["channel"] = {"id": channel.id, "name": _command_name(channel)}
        payload["state"] = {"values": {}}
        payload["response_url"] = self._url("actions", interaction)
        if not source.ephemeral_to:  # Slack doesn't keep what only one person saw
            payload["message"] = self._message(source)
        return payload

    def message_shortcut(self, interaction: Interaction, callback_id: str) -> JsonObject:
        """https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload#message_actions"""
        source, channel = interaction.source, interaction.channel
        if source is None or channel is None:
            raise ValueError("A message shortcut needs a message.")
        return self._payload("message_action", interaction) | {
            "callback_id": callback_id,
            "action_ts": self._workspace.clock.next_ts(),
            "message_ts": source.ts,
            "channel": {"id": channel.id, "name": _command_name(channel)},
            "response_url": self._url("app", interaction),
            "message": self._message(source),
        }

    def global_shortcut(self, interaction: Interaction, callback_id: str) -> JsonObject:
        """https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload#shortcuts"""
        more = {"callback_id": callback_id, "action_ts": self._workspace.clock.next_ts()}
        return self._payload("shortcut", interaction) | more

    def view(self, kind: str, interaction: Interaction, view: JsonObject) -> JsonObject:
        """https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload"""
        payload = self._payload(kind, interaction) | {"api_app_id": self._installation.app_id, "view": view}
        if kind == "view_closed":
            del payload["trigger_id"]
            return payload | {"is_cleared": False}
        return payload | {"response_urls": []}

    def _payload(self, kind: str, interaction: Interaction) -> JsonObject:
        user = interaction.user
        return {
            "type": kind,
            "token": self._installation.verification_token,
            "team": {"id": self._workspace.team_id, "domain": self._workspace.domain},
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": user.team_id or self._workspace.team_id,
            },
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": interaction.trigger_id,
        }

    def _message(self, message: Message) -> JsonObject:
        return message_object(message, self._workspace, self._installation, self.origin)

    def _url(self, kind: str, interaction: Interaction) -> str:
        return f"{self.origin}/{kind}/{self._workspace.team_id}/{interaction.token}"


def _command_name(channel: Channel) -> str:
    """Commands and clicks call every direct message so."""
    return "directmessage" if channel.kind is ChannelKind.DIRECT else channel.name
