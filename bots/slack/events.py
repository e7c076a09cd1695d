"""Slack's payloads, read as questions, edits and deletions. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bots.reply.note import Note
from bots.slack.markdown import plain
from bots.slack.note import Where
from bots.slack.unreadable import is_ts
from core.attachment import MOST, Attachment, Kind, file
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey
from core.words import is_blank

NAME = "slack"

# https://docs.slack.dev/reference/events/message#subtypes: these are people's own messages; a file_share has an upload
# beside its text, a thread_broadcast was sent to the channel as well.
_PEOPLES_SUBTYPES = frozenset({"file_share", "thread_broadcast", "me_message"})
_SLACKBOT = "USLACKBOT"
# What Slack leaves, by a change, of a deleted message that has replies; its pages don't mention it, its events do.
_TOMBSTONE = "tombstone"  # and in a file's `mode`, of one that was deleted


@dataclass(frozen=True, slots=True)
class Ignored:
    reason: str  # for the log


@dataclass(frozen=True, slots=True)
class Revised:
    """Its author edited a message."""

    question: Question  # as it is now
    was_asked: bool  # was it for the bot before as well?


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A message was deleted."""

    key: QuestionKey


def read_event(body: Mapping[str, Any], bot_user: str) -> Question | Revised | Withdrawn | Ignored:
    """Read an event of the type `message` or `app_mention`: both come for one mention, in any order."""
    event, team = body["event"], _team(body)
    match event.get("subtype"):
        case "message_changed":
            return _read_change(event, team, bot_user)
        case "message_deleted":
            return _read_deletion(event, event["deleted_ts"], team, bot_user)
    if event.get("hidden") or event.get("edited"):
        return Ignored("not something that somebody said just now")
    return read_message(event, team, event["channel"], bot_user)


def read_message(message: Mapping[str, Any], team: str, channel: str, bot_user: str) -> Question | Ignored:
    """Read what somebody says."""
    if reason := _reason_to_ignore(message, bot_user):
        return Ignored(reason)
    if not _is_for_the_bot(message, channel, bot_user):
        return Ignored("not for the bot")
    return _question(message, team, channel, bot_user)


def read_back(
    message: Mapping[str, Any], team: str, channel: str, bot_user: str
) -> Question | Revised | Withdrawn | Ignored:
    """Read a message from a channel's history, as it is now."""
    if message.get("subtype") == _TOMBSTONE:
        return Withdrawn(key_of(team, channel, message["ts"]))
    if not message.get("edited") or _reason_to_ignore(message, bot_user):
        return read_message(message, team, channel, bot_user)
    # What it said before, history doesn't tell.
    is_for_the_bot = _is_for_the_bot(message, channel, bot_user)
    return Revised(_question(message, team, channel, bot_user), was_asked=not is_for_the_bot)


def _read_change(event: Mapping[str, Any], team: str, bot_user: str) -> Revised | Withdrawn | Ignored:
    """https://docs.slack.dev/reference/events/message/message_changed"""
    channel, after, before = event["channel"], event["message"], event.get("previous_message") or {}
    if after.get("subtype") == _TOMBSTONE:
        return _read_deletion(event, after["ts"], team, bot_user)
    # Slack changes messages by itself as well: previews of links, counts of replies.
    if not after.get("edited") or after.get("text") == before.get("text"):
        return Ignored("its words have not changed")
    if reason := _reason_to_ignore(after, bot_user):
        return Ignored(reason)
    was_asked = _is_for_the_bot(before, channel, bot_user) if before else False
    if not was_asked and not _is_for_the_bot(after, channel, bot_user):
        return Ignored("not for the bot")
    return Revised(_question(after, team, channel, bot_user), was_asked)


def _read_deletion(event: Mapping[str, Any], ts: str, team: str, bot_user: str) -> Withdrawn | Ignored:
    """https://docs.slack.dev/reference/events/message/message_deleted"""
    before = event.get("previous_message")
    if before and (reason := _reason_to_ignore(before, bot_user)):
        return Ignored(reason)
    return Withdrawn(key_of(team, event["channel"], ts))


def _question(message: Mapping[str, Any], team: str, channel: str, bot_user: str) -> Question:
    ts = message["ts"]
    thread_ts = message.get("thread_ts") or ts
    if not (is_ts(ts) and is_ts(thread_ts)):
        raise ValueError("a message without a time of its own")
    text = plain(message.get("text") or "", bot_user, names={})
    return Question(
        key=key_of(team, channel, ts),
        thread=Thread(ThreadId(f"{NAME}:{team}/{channel}/{thread_ts}"), NAME, _places(team, channel)),
        asker=message["user"],
        text=text,
        attachments=_attachments(message, has_words=not is_blank(text)),
    )


def _attachments(message: Mapping[str, Any], *, has_words: bool) -> tuple[Attachment, ...]:
    """What was sent along; beside words, not what Slack adds to them: previews of links.

    https://docs.slack.dev/reference/objects/file-object: a file can come without its name, size and type, as one that
    is another organisation's, or that the workspace's plan hides. None can be read yet, so that none has a URL.
    """
    files = [one if isinstance(one, Mapping) else {} for one in _list(message, "files")]
    sent = [
        file(one.get("name") or one.get("title"), one.get("mimetype"), one.get("size"))
        for one in files[:MOST]
        if one.get("mode") != _TOMBSTONE
    ]
    beside = _list(message, "attachments")
    if any(isinstance(one, Mapping) and one.get("is_share") for one in beside):
        sent.append(Attachment(Kind.FORWARD))
    elif not (has_words or sent) and (beside or (is_blank(message.get("text") or "") and _list(message, "blocks"))):
        sent.append(Attachment(Kind.OTHER))
    return tuple(sent)


def _list(message: Mapping[str, Any], name: str) -> list[Any]:
    value = message.get(name)
    return value if isinstance(value, list) else []


def key_of(team: str, channel: str, ts: str) -> QuestionKey:
    """Return the key of the question that a message asks."""
    return QuestionKey(f"{NAME}:{team}/{channel}/{ts}")


def channel_of_key(key: QuestionKey) -> tuple[str, str] | None:
    """Return the installation and the channel of a question, None for what is no key of ours."""
    match key.removeprefix(f"{NAME}:").split("/"):
        case [team, channel, _] if key.startswith(f"{NAME}:"):
            return team, channel
    return None


def first_note(question: Question, *, has_sign: bool = False) -> Note[Where]:
    """Return the note with which an answer begins."""
    channel, ts = question.key.split("/")[1:]
    return Note(Where(channel, question.thread.id.split("/")[2], ts, has_sign))


def check_command(command: Mapping[str, Any]) -> None:
    """Raises for a slash command of another shape than Slack documents."""
    texts = [command["channel_id"], command["user_id"], command.get("text") or "", command.get("trigger_id") or ""]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    channel_of_command(command)


def channel_of_command(command: Mapping[str, Any]) -> Thread:
    """Return the channel that a slash command was given in, as a thread: it has none of its own.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    # A form field, so the word instead of a boolean.
    is_org_wide = str(command.get("is_enterprise_install")).lower() == "true"
    team = (is_org_wide and command.get("enterprise_id")) or command["team_id"]
    channel = command["channel_id"]
    return Thread(ThreadId(f"{NAME}:{team}/{channel}"), NAME, _places(team, channel))


def installation(payload: Mapping[str, Any]) -> str:
    """Return the installation that a click was for; `team` is null in one for a whole organisation.

    https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    """
    enterprise, team = payload.get("enterprise") or {}, payload.get("team") or {}
    is_org_wide = payload.get("is_enterprise_install") and enterprise.get("id")
    return str(enterprise["id"] if is_org_wide else team.get("id", ""))


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


def _reason_to_ignore(message: Mapping[str, Any], bot_user: str) -> str:
    subtype = message.get("subtype")
    if subtype and subtype not in _PEOPLES_SUBTYPES:
        return "not something that somebody said"
    if not _is_from_a_person(message) or message["user"] == bot_user:
        return "not from a person"
    return ""


def _is_for_the_bot(message: Mapping[str, Any], channel: str, bot_user: str) -> bool:
    is_direct = message.get("channel_type") == "im" or channel.startswith("D")
    return is_direct or f"<@{bot_user}>" in _mentions(message.get("text") or "")


def _is_from_a_person(message: Mapping[str, Any]) -> bool:
    # Bots that answer each other never stop.
    is_from_a_bot = any(message.get(sign) for sign in ("bot_id", "bot_profile", "app_id"))
    return not is_from_a_bot and (message.get("user") or _SLACKBOT) != _SLACKBOT


def _mentions(text: str) -> str:
    # Some clients send the name along: https://docs.slack.dev/messaging/formatting-message-text#mentioning-users
    return text.replace("|", ">")
