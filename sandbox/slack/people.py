"""The people of the workspace: all that one of them can do, in their own terms."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError
from sandbox.slack.delivery import Deliveries, Kind, Parcel, UndeliveredError
from sandbox.slack.forms import check_errors, filled_in
from sandbox.slack.methods.views import checked_view, replaced_view, whole_view
from sandbox.slack.nouns import Channel, ChannelKind, JsonObject, Message, SharedFile, User
from sandbox.slack.objects import file_object
from sandbox.slack.text import rich_text, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.slack.interactions import Interaction
    from sandbox.slack.platform import Platform

# What people are told when the app acknowledges too late, badly, or not at all.
OPERATION_TIMEOUT, DISPATCH_FAILED, INVALID_RESPONSE = (
    "operation_timeout",
    "dispatch_failed",
    "invalid_command_response",
)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody sends."""

    text: str
    files: tuple[SharedFile, ...] = ()
    attachments: tuple[JsonObject, ...] = ()
    blocks: tuple[JsonObject, ...] | None = None  # what Slack makes of the text, unless somebody knows better
    more: JsonObject = field(default_factory=dict)


class People:
    """Users and channels may be named by name, id, or the object itself."""

    def __init__(self, platform: Platform, deliveries: Deliveries) -> None:
        self._platform = platform
        self._workspace = platform.workspace
        self._deliveries = deliveries

    def user(self, user: User | str) -> User:
        """Raises KeyError for somebody who isn't there."""
        if isinstance(user, User):
            return user
        named = (each for each in self._workspace.users.values() if user in (each.id, each.name))
        if found := next(named, None):
            return found
        raise KeyError(f"user {user}")

    def channel(self, channel: Channel | str) -> Channel:
        """Raises KeyError for a channel that isn't there."""
        if isinstance(channel, Channel):
            return channel
        name = channel.removeprefix("#")
        for each in self._workspace.channels.values():
            if name == each.id or (name == each.name and each.name):
                return each
        raise KeyError(f"channel {channel}")

    # Messages

    def say(
        self,
        user: User,
        channel: Channel,
        given: Given,
        *,
        thread_ts: str | None,
        subtype: str,
    ) -> Message:
        """Raises ValueError where the user may not speak, KeyError for a thread that isn't there."""
        if user.id not in channel.members:
            if channel.is_private:
                raise ValueError(f"{user.name} is not in this private channel; nobody can speak there uninvited.")
            channel.members.append(user.id)
        words = given.text if given.blocks is not None else self._typed(given.text)
        blocks = given.blocks if given.blocks is not None else _composed(words)
        message = Message(
            channel=channel.id,
            ts=self._workspace.clock.next_ts(),
            user=user.id,
            text=words,
            blocks=blocks,
            thread_ts=self._parent(channel, thread_ts),
            subtype=subtype or ("file_share" if given.files else ""),
            files=given.files,
            attachments=given.attachments,
            more=given.more,
        )
        if user.app_id:
            message = replace(message, bot_id=user.bot_id)
        elif user.is_bot:
            message = replace(message, bot_id=user.bot_id, username=user.name, subtype=subtype or "bot_message")
        else:
            message = replace(message, client_msg_id=str(uuid.uuid4()))
        return self._workspace.post(message)

    def edit(self, message: Message, text: str) -> Message:
        words = self._typed(text)
        now = self._workspace.clock.next_ts()
        after = replace(self._current(message), text=words, blocks=_composed(words), edited_ts=now)
        return self._workspace.change(after)

    def forward(self, user: User, message: Message, channel: Channel, text: str) -> Message:
        """What workspaces send: the words are an attachment, and so is what they forward. Slack's reference has no page on it.

        The blocks are inside once more: https://github.com/slackapi/java-slack-sdk/issues/1179
        """
        message = self._current(message)
        author = self._workspace.users[message.user]
        shared: JsonObject = {
            "id": 1,
            "ts": message.ts,
            "channel_id": message.channel,
            "channel_team": self._workspace.team_id,
            "author_id": message.user,
            "author_name": author.display_name or author.name,
            "is_msg_unfurl": True,
            "is_share": True,
            "text": message.text,
            "fallback": message.text,
            "mrkdwn_in": ["text"],
        }
        if message.blocks:
            wrapped = {"team": self._workspace.team_id, "channel": message.channel, "ts": message.ts}
            shared["message_blocks"] = [wrapped | {"message": {"blocks": list(message.blocks)}}]
        if forwards := [one for one in message.attachments if one.get("is_share")]:
            shared["attachments"] = forwards
        if message.files:
            origin = self._platform.origin
            shared["files"] = [file_object(file, message.user, origin) for file in message.files]
        return self.say(user, channel, Given(text, attachments=(shared,)), thread_ts=None, subtype="")

    def _typed(self, text: str) -> str:
        return typed(text, {each.name.casefold(): each.id for each in self._workspace.users.values()})

    def unfurl(self, message: Message, title: str) -> Message:
        """https://docs.slack.dev/messaging/unfurling-links-in-messages"""
        preview: JsonObject = {"id": 1, "title": title, "fallback": title}
        current = self._current(message)
        return self._workspace.change(replace(current, attachments=(*current.attachments, preview)))

    def delete(self, message: Message, by: User | None) -> None:
        current = self._current(message)
        self._workspace.delete(current, by.id if by else current.user)

    def react(self, user: User, message: Message, name: str, *, take_back: bool) -> None:
        act = self._workspace.unreact if take_back else self._workspace.react
        act(self._current(message), user.id, name)

    # Interactivity

    async def command(self, user: User, channel: Channel, command: str, text: str) -> Interaction:
        interaction = self._platform.interactions.begin(user, channel)
        payload = self._platform.interactions.command(interaction, command, text)
        await self._ask(interaction, Parcel(Kind.COMMAND, payload, accepts_response=True))
        try:
            if interaction.ack:
                self._platform.interactions.answer(interaction, interaction.ack)
        except ApiError:
            interaction.problem = INVALID_RESPONSE
        return interaction

    async def click(self, user: User, message: Message, action_id: str, value: str | None) -> Interaction:
        """Click what *message* shows under *action_id*. Raises KeyError if it shows no such thing."""
        current = self._current(message)
        action = _action(current.blocks, action_id, value)
        channel = self._workspace.channels[message.channel]
        interaction = self._platform.interactions.begin(user, channel, current)
        payload = self._platform.interactions.block_actions(interaction, action)
        await self._ask(interaction, Parcel(Kind.INTERACTIVE, payload))
        return interaction

    async def click_view(self, user: User, view: JsonObject, action_id: str, value: str | None) -> Interaction:
        interaction = self._platform.interactions.begin(user, view_id=view["id"])
        payload = self._platform.interactions.block_actions(
            interaction, _action(view["blocks"], action_id, value), view
        )
        await self._ask(interaction, Parcel(Kind.INTERACTIVE, payload))
        return interaction

    async def shortcut(self, user: User, callback_id: str, message: Message | None) -> Interaction:
        interactions = self._platform.interactions
        if message is None:
            interaction = interactions.begin(user)
            payload = interactions.global_shortcut(interaction, callback_id)
        else:
            if message.ephemeral_to:  # https://docs.slack.dev/interactivity/implementing-shortcuts#messages
                raise ValueError("What only one person sees has no shortcuts.")
            channel = self._workspace.channels[message.channel]
            interaction = interactions.begin(user, channel, self._current(message))
            payload = interactions.message_shortcut(interaction, callback_id)
        await self._ask(interaction, Parcel(Kind.INTERACTIVE, payload))
        return interaction

    async def submit(self, user: User, view: JsonObject, values: JsonObject) -> Interaction:
        """Press the modal's button; what the app answers is done to the modal.

        Raises ValueError for what a client would not send.
        """
        filled = view | {"state": {"values": filled_in(view, values)}}
        interaction = self._platform.interactions.begin(user, view_id=view["id"])
        payload = self._platform.interactions.view("view_submission", interaction, filled)
        await self._ask(interaction, Parcel(Kind.INTERACTIVE, payload, accepts_response=True))
        try:
            if not interaction.problem:
                self._after_submission(interaction, view)
        except ApiError:
            interaction.problem = INVALID_RESPONSE
        return interaction

    async def close_view(self, user: User, view: JsonObject) -> Interaction:
        """Close the modal; the app only hears of it if it wants to."""
        interaction = self._platform.interactions.begin(user, view_id=view["id"])
        self._workspace.views.pop(view["id"], None)
        if view["notify_on_close"]:
            payload = self._platform.interactions.view("view_closed", interaction, view)
            await self._ask(interaction, Parcel(Kind.INTERACTIVE, payload))
        return interaction

    async def _ask(self, interaction: Interaction, parcel: Parcel) -> None:
        try:
            interaction.ack = await self._deliveries.ask(parcel)
        except UndeliveredError as failure:
            interaction.problem = OPERATION_TIMEOUT if "timeout" in failure.reason else DISPATCH_FAILED

    def _after_submission(self, interaction: Interaction, view: JsonObject) -> None:
        """https://docs.slack.dev/surfaces/modals#updating_response"""
        answer = interaction.ack or {}
        action = answer.get("response_action")
        if action not in (None, "errors", "update", "push", "clear"):
            raise ApiError("invalid_response_action")
        if action == "errors":
            check_errors(answer.get("errors"), view)
            return
        if action in {"update", "push"}:
            asked = checked_view(answer.get("view") or {})
            if action == "update":
                shown = replaced_view(self._platform, view, asked)
            else:
                shown = whole_view(self._platform, asked)
                shown |= {"root_view_id": view["root_view_id"], "previous_view_id": view["id"]}
            interaction.views.append(shown["id"])
            self._workspace.show_view(shown, interaction.user.id)
            return
        root = view["root_view_id"] if action == "clear" else None
        for each in list(self._workspace.views.values()):
            if each["id"] == view["id"] or each["root_view_id"] == root:
                del self._workspace.views[each["id"]]

    def _parent(self, channel: Channel, thread_ts: str | None) -> str | None:
        """The ts of the thread's first message, also when a reply was named."""
        if thread_ts is None:
            return None
        named = self._workspace.message(channel.id, thread_ts)
        if named is None:
            raise KeyError(f"message {thread_ts}")
        return named.thread_ts or named.ts

    def _current(self, message: Message) -> Message:
        """The message as it is now. Raises ApiError when somebody deleted it."""
        current = self._workspace.message(message.channel, message.ts)
        if current is None:
            raise ApiError("message_not_found")
        return current

    def direct_channel(self, users: Sequence[User]) -> Channel:
        return self._platform.direct_channel(*(user.id for user in users))

    def add_channel(self, name: str, members: Sequence[User], *, private: bool) -> Channel:
        if not re.fullmatch(r"[\w-]{1,80}", name) or name != name.lower():
            raise ValueError(f"A channel is named in lower-case letters, digits, - and _, up to 80; not {name!r}.")
        kind = ChannelKind.PRIVATE if private else ChannelKind.PUBLIC
        return self._workspace.add_channel(name, [user.id for user in members], kind)


def _composed(words: str) -> tuple[JsonObject, ...]:
    return (rich_text(words),) if words else ()


def _action(blocks: Sequence[JsonObject], action_id: str, value: str | None) -> JsonObject:
    """What a click on the element sends: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
    for block in blocks:
        elements = [*block.get("elements", ()), block.get("accessory") or {}, block.get("element") or {}]
        for element in elements:
            if element.get("action_id") == action_id:
                base = {"type": element["type"], "block_id": block["block_id"], "action_id": action_id}
                return base | _state(element, value)
    raise KeyError(f"element with the action_id {action_id}")


def _state(element: JsonObject, value: str | None) -> JsonObject:
    """What the element says, chosen by *value* where there is a choice."""
    match element["type"]:
        case "feedback_buttons":
            buttons = (element["positive_button"], element["negative_button"])
            chosen = _chosen(buttons, value)
            return {"text": chosen["text"], "value": chosen["value"]}
        case "static_select" | "overflow" | "radio_buttons":
            groups = element.get("option_groups", ())
            options = [*element.get("options", ()), *(option for group in groups for option in group["options"])]
            return {"selected_option": _chosen(options, value)}
        case "plain_text_input":
            return {"value": value}
        case _:
            names = ("text", "value", "style", "url")
            said = {name: element[name] for name in names if name in element}
            return said | ({"value": value} if value is not None else {})


def _chosen(options: Sequence[JsonObject], value: str | None) -> JsonObject:
    """The option with *value*, or the first."""
    for option in options:
        if value in (None, option["value"]):
            return option
    raise KeyError(f"option with the value {value}")
