"""Slack's payloads, read as questions, edits and deletions. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bots.listening.events import Deleted, Edited, Ignored, Overheard, Said
from bots.reply.note import Note
from bots.slack.ids import is_ts, key_of, message_of, place_of, position, thread_in
from bots.slack.markdown import mentions, plain
from bots.slack.note import Where
from bots.text.cut import shortened
from core.attachment import MOST, Attachment, Kind, file
from core.commands import parse
from core.quote import LONGEST, Quote, Source
from core.turn import Question
from core.words import is_blank

if TYPE_CHECKING:
    from core.thread import Thread

# https://docs.slack.dev/reference/events/message#subtypes: these are people's own messages; a file_share has an upload
# beside its text, a thread_broadcast was sent to the channel as well.
_PEOPLES_SUBTYPES = frozenset({"file_share", "thread_broadcast", "me_message"})
_SLACKBOT = "USLACKBOT"
_DEEPEST = 4  # who is called stands in a section, in a list, in a block
# What Slack leaves, by a change, of a deleted message that has replies; its pages don't mention it, its events do.
_TOMBSTONE = "tombstone"  # and in a file's `mode`, of one that was deleted


def read_event(body: Mapping[str, Any], bot_user: str) -> Said | Overheard | Deleted | Ignored:
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


def message_in(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the message that an event is about, as it is now."""
    event: Mapping[str, Any] = body["event"]
    changed = event.get("message")
    return changed if event.get("subtype") == "message_changed" and isinstance(changed, dict) else event


def read_message(message: Mapping[str, Any], team: str, channel: str, bot_user: str) -> Said | Overheard | Ignored:
    """Read what somebody says."""
    if reason := _reason_to_ignore(message, bot_user):
        return Ignored(reason)
    said = _said(message, team, channel, bot_user)
    return said if _is_for_the_bot(message, channel, bot_user) else Overheard(said)


def read_back(
    message: Mapping[str, Any], team: str, channel: str, bot_user: str
) -> Said | Overheard | Deleted | Ignored:
    """Read a message from a channel's history, as it is now."""
    if message.get("subtype") == _TOMBSTONE:
        return Deleted((key_of(team, channel, message["ts"]),))
    if not message.get("edited") or _reason_to_ignore(message, bot_user):
        return read_message(message, team, channel, bot_user)
    # What it said before, history doesn't tell.
    is_for_the_bot = _is_for_the_bot(message, channel, bot_user)
    return _edited(message, team, channel, bot_user, at=message["ts"], may_ask=is_for_the_bot)


def _edited(message: Mapping[str, Any], team: str, channel: str, bot_user: str, *, at: str, may_ask: bool) -> Edited:
    said = _said(message, team, channel, bot_user)
    return Edited(said.question, said.note, position(at), said.places, may_ask)


def _read_change(event: Mapping[str, Any], team: str, bot_user: str) -> Edited | Overheard | Deleted | Ignored:
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
    at = event.get("event_ts") or event["ts"]  # an old message can be edited only now
    edited = _edited(after, team, channel, bot_user, at=at, may_ask=not was_asked)
    return edited if was_asked or _is_for_the_bot(after, channel, bot_user) else Overheard(edited)


def _read_deletion(event: Mapping[str, Any], ts: str, team: str, bot_user: str) -> Deleted | Ignored:
    """https://docs.slack.dev/reference/events/message/message_deleted"""
    before = event.get("previous_message")
    if before and (reason := _reason_to_ignore(before, bot_user)):
        return Ignored(reason)
    return Deleted((key_of(team, event["channel"], ts),))


def _said(message: Mapping[str, Any], team: str, channel: str, bot_user: str) -> Said:
    ts = message["ts"]
    # Direct messages beside their threads are one conversation, and answered beside them.
    thread_ts = message.get("thread_ts") or ("" if channel.startswith("D") else ts)
    if not (is_ts(ts) and (not thread_ts or is_ts(thread_ts))):
        raise ValueError("a message without a time of its own")
    at, key, thread = position(ts), key_of(team, channel, ts), thread_in(team, channel, thread_ts)
    text = plain(message.get("text") or "", bot_user, names={})
    attachments = _attachments(message, has_words=not is_blank(text))
    # A command is done before anybody could see a sign of it.
    note = Note(Where(channel, thread_ts, ts, has_sign=parse(text) is None))
    # The first message of a thread waits for nothing.
    places = () if thread_ts == ts else tuple(dict.fromkeys(((channel, ""), (channel, thread_ts))))
    return Said(Question(key, thread, message["user"], text, attachments), note, at, places)


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


def first_note(question: Question) -> Note[Where]:
    """Return the note with which an answer begins whose question came with none."""
    _, channel, ts = message_of(question.key)
    return Note(Where(channel, place_of(question.thread.id)[1], ts))


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
    return thread_in(installation_of_command(command), command["channel_id"])


def installation_of_command(command: Mapping[str, Any]) -> str:
    # A form field, so the word instead of a boolean.
    is_org_wide = str(command.get("is_enterprise_install")).lower() == "true"
    return str((is_org_wide and command.get("enterprise_id")) or command["team_id"])


def quote_of(message: Mapping[str, Any], bot_user: str, *, otherwise: str, is_ours: bool) -> Quote:
    """Return *message* as it is asked about; without one that can be read, what is known *otherwise* of its words."""
    text = message.get("text")
    said = plain(text, bot_user, names={}) if isinstance(text, str) else otherwise
    attachments = _attachments(message, has_words=not is_blank(said))
    return Quote(Source.REPLY, shortened(said, LONGEST), is_ours=is_ours, attachments=attachments)


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
    return is_direct or mentions(message.get("text") or "", bot_user) or _calls(message.get("blocks"), bot_user)


def _calls(blocks: object, user: str) -> bool:
    """Is *user* called in rich text? Blocks know better than text what is code, but not all clients send them."""
    nodes = blocks if isinstance(blocks, list) else []
    for _ in range(_DEEPEST):
        nodes = [node for node in nodes if isinstance(node, dict)]
        if any(node.get("type") == "user" and node.get("user_id") == user for node in nodes):
            return True
        nodes = [inner for node in nodes for inner in _list(node, "elements")]
    return False


def _is_from_a_person(message: Mapping[str, Any]) -> bool:
    # Bots that answer each other never stop.
    is_from_a_bot = any(message.get(sign) for sign in ("bot_id", "bot_profile", "app_id"))
    return not is_from_a_bot and (message.get("user") or _SLACKBOT) != _SLACKBOT
