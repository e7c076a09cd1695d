"""Slack's payloads, read as questions (mentions among them), edits and deletions. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bots.listening.events import Deleted, Edited, Ignored, Overheard, Said
from bots.reply.note import Note
from bots.slack.addressing import read_addressing
from bots.slack.carried import files_of, is_forward, quotes_of
from bots.slack.ids import is_ts, key_of, message_of, place_of, position, thread_in
from bots.slack.names import NAMELESS, Names
from bots.slack.note import Where
from bots.slack.written import is_called, written
from bots.text.cut import shortened
from core.access import is_bot
from core.attachment import Attachment, Kind
from core.commands import parse
from core.language import speaking
from core.names import tame
from core.quote import LONGEST, Quote, Source
from core.turn import Question
from core.words import is_blank

if TYPE_CHECKING:
    from core.thread import Thread

# https://docs.slack.dev/reference/events/message#subtypes: these are people's own messages; a file_share has an upload
# beside its text, a thread_broadcast was sent to the channel as well.
_PEOPLES_SUBTYPES = frozenset({"file_share", "thread_broadcast", "me_message"})
_BOTS_SUBTYPE = "bot_message"
_SLACKBOT = "USLACKBOT"
# What Slack leaves, by a change, of a deleted message that has replies; its pages don't mention it, its events do.
_TOMBSTONE = "tombstone"


def read_event(body: Mapping[str, Any], bot_user: str, names: Names = NAMELESS) -> Said | Overheard | Deleted | Ignored:
    """Read an event of the type `message` or `app_mention`: both come for one mention, in any order."""
    event, team = body["event"], _team(body)
    match event.get("subtype"):
        case "message_changed":
            return _read_change(event, team, bot_user, names)
        case "message_deleted":
            return _read_deletion(event, event["deleted_ts"], team, bot_user)
    if event.get("hidden") or event.get("edited"):
        return Ignored("not something that somebody said just now")
    return read_message(event, team, event["channel"], bot_user, names)


def message_in(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the message that an event is about, as it is now."""
    event: Mapping[str, Any] = body["event"]
    changed = event.get("message")
    return changed if event.get("subtype") == "message_changed" and isinstance(changed, dict) else event


def read_message(
    message: Mapping[str, Any], team: str, channel: str, bot_user: str, names: Names = NAMELESS
) -> Said | Overheard | Ignored:
    """Read what somebody says."""
    if _is_another_bots(message, bot_user):
        return Overheard(_said(message, team, channel, bot_user, names), is_bots=True)
    if reason := _reason_to_ignore(message, bot_user):
        return Ignored(reason)
    said = _said(message, team, channel, bot_user, names)
    return said if _is_for_the_bot(message, channel, bot_user) else _overheard(said, message, bot_user)


def read_back(
    message: Mapping[str, Any], team: str, channel: str, bot_user: str, names: Names = NAMELESS
) -> Said | Overheard | Deleted | Ignored:
    """Read a message from a channel's history, as it is now."""
    if message.get("subtype") == _TOMBSTONE:
        return Deleted((key_of(team, channel, message["ts"]),))
    if not message.get("edited") or _reason_to_ignore(message, bot_user):
        return read_message(message, team, channel, bot_user, names)
    # What it said before, history doesn't tell.
    edited = _edited(message, team, channel, bot_user, names, at=message["ts"], may_ask=True)
    return edited if _is_for_the_bot(message, channel, bot_user) else _overheard(edited, message, bot_user)


def _overheard(said: Said, message: Mapping[str, Any], bot_user: str) -> Overheard:
    """Bots that may ask do so by a mention."""
    thread_ts = message.get("thread_ts")
    began = position(thread_ts) if thread_ts and thread_ts != message["ts"] else 0
    return Overheard(said, read_addressing(message, bot_user), is_bots=is_bot(said.question.asker), began=began)


def _edited(
    message: Mapping[str, Any], team: str, channel: str, bot_user: str, names: Names, *, at: str, may_ask: bool
) -> Edited:
    said = _said(message, team, channel, bot_user, names)
    return Edited(said.question, said.note, position(at), said.places, may_ask=may_ask)


def _read_change(
    event: Mapping[str, Any], team: str, bot_user: str, names: Names
) -> Edited | Overheard | Deleted | Ignored:
    """https://docs.slack.dev/reference/events/message/message_changed"""
    channel, after, before = event["channel"], event["message"], event.get("previous_message") or {}
    if after.get("subtype") == _TOMBSTONE:
        return _read_deletion(event, after["ts"], team, bot_user)
    # Slack changes messages by itself as well: previews of links, counts of replies.
    if not after.get("edited") or after.get("text") == before.get("text"):
        return Ignored("its words have not changed")
    if _is_another_bots(after, bot_user):
        at = event.get("event_ts") or event["ts"]
        return Overheard(_edited(after, team, channel, bot_user, names, at=at, may_ask=False), is_bots=True)
    if reason := _reason_to_ignore(after, bot_user):
        return Ignored(reason)
    was_asked = _is_for_the_bot(before, channel, bot_user) if before else False
    is_asked = _is_for_the_bot(after, channel, bot_user)
    # It may come before the message itself, and then it is what is asked. An old message can be made a question only now.
    at = after["ts"] if was_asked else event.get("event_ts") or event["ts"]
    edited = _edited(after, team, channel, bot_user, names, at=at, may_ask=is_asked)
    return edited if was_asked or is_asked else _overheard(edited, after, bot_user)


def _read_deletion(event: Mapping[str, Any], ts: str, team: str, bot_user: str) -> Deleted | Ignored:
    """https://docs.slack.dev/reference/events/message/message_deleted"""
    before = event.get("previous_message")
    if before and (reason := _reason_to_ignore(before, bot_user)):
        return Ignored(reason)
    return Deleted((key_of(team, event["channel"], ts),))


def _said(message: Mapping[str, Any], team: str, channel: str, bot_user: str, names: Names) -> Said:
    ts = message["ts"]
    # Direct messages beside their threads are one conversation.
    thread_ts = message.get("thread_ts") or ("" if channel.startswith("D") else ts)
    if not (is_ts(ts) and (not thread_ts or is_ts(thread_ts))):
        raise ValueError("a message without a time of its own")
    at, key, thread = position(ts), key_of(team, channel, ts), thread_in(team, channel, thread_ts)
    text = written(message, bot_user, names.words)
    quotes = quotes_of(message, bot_user, names)
    attachments = _attachments(message, quotes, has_words=not is_blank(text))
    # A command is done before anybody could see a sign of it.
    with speaking(names.language):
        is_command = parse(text) is not None
    # Slack streams in threads only, and an agent's direct messages are threads to it: the answer stands in that of what was
    # asked, also where that is part of the conversation beside them all.
    note = Note(Where(channel, thread_ts or ts, ts, has_sign=not is_command))
    # The first message of a thread waits for nothing.
    places = () if thread_ts == ts else tuple(dict.fromkeys(((channel, ""), (channel, thread_ts))))
    asker = message.get("user") or message["bot_id"]
    question = Question(
        key,
        thread,
        asker,
        text,
        attachments,
        # Who talks with the bot alone needs no name.
        asker_name="" if thread.is_direct else _name_of(message, asker, names),
        quotes=quotes,
        edition=_edition(message),
        language=names.language,
    )
    return Said(question, note, at, places)


def _edition(message: Mapping[str, Any]) -> int:
    edited = message.get("edited")
    ts = edited.get("ts") if isinstance(edited, Mapping) else None
    return position(ts) if is_ts(ts) else 0


def _attachments(message: Mapping[str, Any], quotes: Sequence[Quote], *, has_words: bool) -> tuple[Attachment, ...]:
    """What was sent along and is not among *quotes*; beside words, not what Slack adds to them: previews of links."""
    sent = files_of(message.get("files"))
    beside = _list(message, "attachments")
    is_told = any(one.source is Source.FORWARD for one in quotes)
    has_odd_forward = any(map(is_forward, beside)) and not is_told
    is_all = not (has_words or sent or quotes)
    if has_odd_forward or (is_all and (beside or (is_blank(message.get("text") or "") and _list(message, "blocks")))):
        sent.append(Attachment(Kind.OTHER))
    return tuple(sent)


def _list(message: Mapping[str, Any], name: str) -> list[Any]:
    value = message.get(name)
    return value if isinstance(value, list) else []


def first_note(question: Question) -> Note[Where]:
    """Return the note with which an answer begins whose question came with none."""
    _, channel, ts = message_of(question.key)
    return Note(Where(channel, place_of(question.thread.id)[1] or ts, ts))


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


def quote_of(message: Mapping[str, Any], bot_user: str, names: Names, *, otherwise: str, is_ours: bool) -> Quote:
    """Return *message* as it is asked about; without one that can be read, what is known *otherwise* of its words."""
    said = written(message, bot_user, names.words) if isinstance(message.get("text"), str) else otherwise
    author = "" if is_ours else _name_of(message, message.get("user"), names)
    files = tuple(files_of(message.get("files")))
    return Quote(Source.REPLY, shortened(said, LONGEST), author, is_ours, files)


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
    return is_direct or is_called(message, bot_user)


def _is_another_bots(message: Mapping[str, Any], bot_user: str) -> bool:
    """Did another app's bot, or a workflow, say it? https://docs.slack.dev/reference/events/message/bot_message"""
    is_said = (message.get("subtype") or _BOTS_SUBTYPE) in _PEOPLES_SUBTYPES | {_BOTS_SUBTYPE}
    return is_said and bool(message.get("bot_id")) and message.get("user") not in (bot_user, _SLACKBOT)


def _name_of(message: Mapping[str, Any], author: object, names: Names) -> str:
    """A bot may speak under the name of a person."""
    return tame((_name_of_bot(message) if names.tells else "") or names.author(author))


def _name_of_bot(message: Mapping[str, Any]) -> str:
    """Return the name under which a bot says something; empty for people, whose messages have none."""
    profile = message.get("bot_profile")
    names = message.get("username"), profile.get("name") if isinstance(profile, Mapping) else ""
    return next((name for name in names if isinstance(name, str) and name), "")


def _is_from_a_person(message: Mapping[str, Any]) -> bool:
    # Bots that answer each other never stop.
    is_from_a_bot = any(message.get(sign) for sign in ("bot_id", "bot_profile", "app_id"))
    return not is_from_a_bot and (message.get("user") or _SLACKBOT) != _SLACKBOT
