"""Finds out who asks in Slack, as far as a rule needs it; asks Slack itself only where that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bots.slack.ids import around
from core.access import Asker, bot_asker, id_of, is_bot
from core.bounded import BoundedSet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bots.slack.people import People
    from core.access import Rules
    from core.thread import Thread

MOST_AT_HOME = 10_000  # people
_SIGNS_OF_A_BOT = ("bot_id", "bot_profile", "app_id")


class Askers:
    """The askers of one installation."""

    def __init__(self, people: People, team: str) -> None:
        self._people = people
        self._team = team
        self._at_home: BoundedSet[str] = BoundedSet(MOST_AT_HOME)  # of whom events have told that they are of the team

    def heard(self, body: Mapping[str, Any]) -> None:
        """Take note of what an event tells of its author, so that nobody has to ask."""
        if user := at_home(body, self._team):
            self._at_home.add(user)

    async def describe(self, asker: str, thread: Thread, rules: Rules) -> Asker:
        """As `core.chat.Describes`."""
        team, channel = around(thread)
        is_guest: bool | None = None
        is_external: bool | None = False if asker in self._at_home else None
        if not is_bot(asker) and (not rules.guests or not (rules.external or is_external is False)):
            person = await self._people.look_up(asker)
            is_guest, is_external = person.is_guest, person.is_external
        return Asker(
            ids=frozenset({id_of(asker)}),
            channels=frozenset({channel}),
            workspace=team,
            is_direct=thread.is_direct,
            is_guest=is_guest,
            is_external=is_external,
            is_bot=is_bot(asker),
        )


def at_home(body: Mapping[str, Any], team: str) -> str:
    """Return who said what an event tells of, if it is certain by the event that they are of *team*; else nothing.

    https://docs.slack.dev/apis/slack-connect: in a channel that is shared with another organisation, events name the
    author's own workspace, or organisation.
    """
    event = body["event"]
    said = event.get("message") if event.get("subtype") == "message_changed" else event
    if not isinstance(said, dict) or not isinstance(user := said.get("user"), str):
        return ""
    is_shared = body.get("is_ext_shared_channel") is not False or event.get("channel_type") == "im"
    of_team = (said.get("user_team") or said.get("team")) == team
    return user if of_team or not is_shared else ""


def with_bots(body: dict[str, Any], bots: Collection[str], own: Collection[str]) -> dict[str, Any]:
    """Return an event in which what one of the listed *bots* says looks like a person's words; any other as it is.

    *own*: our own user and bot, which are never listed, whatever stands in the list.
    """
    event = body["event"]
    if not bots or not isinstance(event, dict):
        return body
    told = {name: as_said(event[name], bots, own) for name in ("message", "previous_message") if name in event}
    return body | {"event": as_said(event, bots, own) | told}


def as_said(message: Any, bots: Collection[str], own: Collection[str]) -> Any:
    """The same of a message. https://docs.slack.dev/reference/events/message/bot_message"""
    if not isinstance(message, dict):
        return message
    profile = message.get("bot_profile")
    app = message.get("app_id") or (profile.get("app_id") if isinstance(profile, dict) else None)
    ids = [message.get("user"), message.get("bot_id"), app]
    listed = next((id_ for id_ in ids if isinstance(id_, str) and id_ in bots), None)
    if listed is None or not message.get("bot_id") or any(id_ in own for id_ in ids if isinstance(id_, str)):
        return message
    kept = {name: value for name, value in message.items() if name not in _SIGNS_OF_A_BOT}
    if kept.get("subtype") == "bot_message":
        del kept["subtype"]
    return kept | {"user": bot_asker(listed)}
