"""Slack's payloads, read as questions. Pure: no network, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.slack.markdown import plain
from bots.slack.note import Note
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "slack"

# https://docs.slack.dev/reference/events/message#subtypes: these are people's own messages; a file_share has an upload
# beside its text, a thread_broadcast was sent to the channel as well.
_PEOPLES_SUBTYPES = frozenset({"file_share", "thread_broadcast", "me_message"})
_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Ignored:
    reason: str  # for the log


def read_event(body: Mapping[str, Any], bot_user: str) -> Question | Ignored:
    """Read an event of the type `message` or `app_mention`: both come for one mention, in any order."""
    event = body["event"]
    if reason := _reason_to_ignore(event, bot_user):
        return Ignored(reason)
    team = _team(body)
    channel, ts = event["channel"], event["ts"]
    thread_ts = event.get("thread_ts") or ts
    return Question(
        key=QuestionKey(f"{NAME}:{team}/{channel}/{ts}"),
        thread=Thread(ThreadId(f"{NAME}:{team}/{channel}/{thread_ts}"), NAME, _places(team, channel)),
        asker=event["user"],
        text=plain(event.get("text") or "", bot_user, names={}),
    )


def first_note(question: Question) -> Note:
    """Return the note with which an answer begins."""
    channel, ts = question.key.split("/")[1:]
    return Note(channel=channel, thread_ts=question.thread.id.split("/")[2], question_ts=ts)


def channel_of_command(command: Mapping[str, Any]) -> Thread:
    """Return the channel that a slash command was given in, as a thread: it has none of its own.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    # A form field, so the word instead of a boolean.
    is_org_wide = str(command.get("is_enterprise_install")).lower() == "true"
    team = (is_org_wide and command.get("enterprise_id")) or command["team_id"]
    channel = command["channel_id"]
    return Thread(ThreadId(f"{NAME}:{team}/{channel}"), NAME, _places(team, channel))


def _places(team: str, channel: str) -> tuple[PlaceId, PlaceId]:
    return PlaceId(f"{NAME}:{team}"), PlaceId(f"{NAME}:{team}/{channel}")


def _team(body: Mapping[str, Any]) -> str:
    """Return the installation that the event is for.

    In a shared channel the outer `team_id` can be the other side's: https://docs.slack.dev/apis/events-api#authorizations
    """
    authorization: Mapping[str, Any] = next(iter(body.get("authorizations") or ()), {})
    if authorization.get("is_enterprise_install") and authorization.get("enterprise_id"):
        return str(authorization["enterprise_id"])
    return str(authorization.get("team_id") or authorization.get("enterprise_id") or body["team_id"])


def _reason_to_ignore(event: Mapping[str, Any], bot_user: str) -> str:
    subtype = event.get("subtype")
    if (subtype and subtype not in _PEOPLES_SUBTYPES) or event.get("hidden") or event.get("edited"):
        return "not something that somebody said just now"
    if not _is_from_a_person(event) or event["user"] == bot_user:
        return "not from a person"
    is_direct = event.get("channel_type") == "im" or event["channel"].startswith("D")
    if not is_direct and f"<@{bot_user}>" not in _mentions(event.get("text") or ""):
        return "not for the bot"
    return ""


def _is_from_a_person(event: Mapping[str, Any]) -> bool:
    # Bots that answer each other never stop.
    is_from_a_bot = any(event.get(sign) for sign in ("bot_id", "bot_profile", "app_id"))
    return not is_from_a_bot and (event.get("user") or _SLACKBOT) != _SLACKBOT


def _mentions(text: str) -> str:
    # Some clients send the name along: https://docs.slack.dev/messaging/formatting-message-text#mentioning-users
    return text.replace("|", ">")
