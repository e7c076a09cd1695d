"""The lines of a script that say what is done on the page."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox import discord, slack
from sandbox.line import FAULTS, FORM, Deed, Line, Sent
from sandbox.scenes import DiscordScene, SlackScene
from sandbox.scenes import discord as on_discord
from sandbox.scenes import slack as on_slack

if TYPE_CHECKING:
    from sandbox.stage import Stage

Clickable = on_slack.Clickable | on_discord.Clickable
Fields = dict[str, Any]
FILE_BYTES = 2 * 1024 * 1024  # of one that is written into the script: what the page takes, but for a pasted text
_KIND = re.compile(r"[\w.+-]+/[\w.+-]+")
# What the page does to a message, and what a script calls that.
_MESSAGE_DEEDS = {
    "edit": Deed.EDIT,
    "delete": Deed.DELETE,
    "react": Deed.REACT,
    "click": Deed.CLICK,
    "shortcut": Deed.MENU,
    "menu": Deed.MENU,
    "thread": Deed.THREAD,
}
_FORM_DEEDS = {"submit": Deed.SEND, "close": Deed.CLOSE}


class NoWords(Exception):
    """A script has none for what was done; the text says what that was."""


class Wording:
    """Knows the scenes, on which every thread and message has a name."""

    def __init__(self, stage: Stage, slack_scene: SlackScene, discord_scene: DiscordScene) -> None:
        self._stage, self._slack, self._discord = stage, slack_scene, discord_scene

    def lines(self, fields: Fields) -> list[Line]:
        """What does again what *fields* say, before it is done. Raises NoWords, and whatever comes of odd fields."""
        where, _, what = str(fields["act"]).partition(".")
        if where == "fault":
            if what in FAULTS:
                has_off = what not in ("amnesia", "limit") and not fields.get("on")
                return [Line("", "", "", f"{what} off" if has_off else what, deed=Deed.FAULT)]
            return [Line("", "", "", "", deed=Deed(what))]
        if where == SlackScene.name:
            person = self._stage.slack.user(fields["person"]).name
            return list(self._on_slack(what, fields, Line(where, person, "", str(fields.get("text", "")))))
        person = self._stage.discord.user(fields["person"]).name
        return list(self._on_discord(what, fields, Line(where, person, "", str(fields.get("text", "")))))

    def _on_slack(self, what: str, fields: Fields, line: Line) -> Iterator[Line]:
        match what:
            case "say":
                channel, thread = ids(fields, "place")[0], ids(fields, "thread")[1] if fields.get("thread") else ""
                yield _with_files(replace(line, place=self._slack_place(line, channel, thread)), fields)
            case "stop":
                place = self._slack_place(line, *ids(fields, "thread"))
                yield replace(line, place=place, deed=Deed.CLICK, text=on_slack.STOP)
            case "shortcut" if not fields.get("message"):
                yield replace(line, deed=Deed.MENU, text=self._slack.shortcuts[fields["entry"]])
            case _ if fields.get("view"):
                yield from self._in_a_form_of_slack(what, fields, replace(line, place=FORM, text=""))
            case _:
                yield self._to_a_message_of_slack(what, fields, line)

    def _in_a_form_of_slack(self, what: str, fields: Fields, line: Line) -> Iterator[Line]:
        view = self._stage.slack.views[ids(fields, "view")[0]]
        if what == "click":
            yield replace(line, deed=Deed.CLICK, text=_slack_label(view["blocks"], fields))
            return
        if what == "submit":
            for text in _filled(self._slack.filled(view, fields.get("values") or {})):
                yield replace(line, deed=Deed.FILL, text=text)
        yield replace(line, deed=_FORM_DEEDS[what])

    def _to_a_message_of_slack(self, what: str, fields: Fields, line: Line) -> Line:
        channel, ts = ids(fields, "message")
        [message] = [one for one in self._stage.slack.messages(channel) if one.ts == ts]
        thread = "" if message.thread_ts in (None, ts) else message.thread_ts or ""
        line = replace(line, place=self._slack_place(line, channel, thread), deed=_MESSAGE_DEEDS[what])
        if what == "click":
            line = replace(line, text=_slack_label(message.blocks, fields))
        elif what == "react":
            line = replace(line, text=str(fields["name"]))
        elif what == "shortcut":
            line = replace(line, text=self._slack.shortcuts[fields["entry"]])
        return _back(line, ts, [one.ts for one in self._slack.fitting(line)])

    def _slack_place(self, line: Line, channel_id: str, thread: str) -> str:
        channel = self._stage.slack.channel(channel_id)
        if thread:
            return _named(self._slack.name_of(line.person, channel.id, thread))
        if channel.kind is slack.ChannelKind.DIRECT:
            return "dm"
        if not channel.name:
            raise NoWords("something in a conversation of several")
        return f"#{channel.name}"

    def _on_discord(self, what: str, fields: Fields, line: Line) -> Iterator[Line]:
        match what:
            case "say" | "post":
                channel = self._stage.discord.channel(ids(fields, "place")[0])
                line = replace(line, place=self._discord_place(channel))
                if what == "post":
                    line = replace(line, text=f"{fields['title']}\n{line.text}")
                elif fields.get("reply_to") and not line.text.startswith("/"):
                    line = replace(line, deed=Deed.REPLY)
                    to = int(ids(fields, "reply_to")[1])
                    line = _back(line, to, [one.id for one in self._discord.fitting(line)])
                yield _with_files(line, fields)
            case "submit" | "close":
                line = replace(line, place=FORM, text="")
                if what == "submit":
                    asked = self._stage.discord.world.forms[int(ids(fields, "view", at=2)[0])]
                    for text in _filled(self._discord.filled(asked, fields.get("values") or {})):
                        yield replace(line, deed=Deed.FILL, text=text)
                yield replace(line, deed=_FORM_DEEDS[what])
            case _:
                yield self._to_a_message_of_discord(what, fields, line)

    def _to_a_message_of_discord(self, what: str, fields: Fields, line: Line) -> Line:
        channel_id, number = ids(fields, "message")
        channel, wanted = self._stage.discord.channel(channel_id), int(number)
        message = channel.messages[wanted]
        line = replace(line, place=self._discord_place(channel), deed=_MESSAGE_DEEDS[what])
        if what == "click":
            line = replace(line, text=_discord_label(message, fields))
        elif what == "delete" and message.author.name != line.person:
            line = replace(line, text=message.author.name)
        elif what in ("react", "menu", "thread"):
            line = replace(line, text=str(fields[{"react": "name", "menu": "entry", "thread": "title"}[what]]))
        return _back(line, wanted, [one.id for one in self._discord.fitting(line)])

    def _discord_place(self, channel: discord.Channel) -> str:
        if channel.is_dm:
            return "dm"
        return _named(self._discord.name_of(channel)) if channel.thread else f"#{channel.name}"


def ids(fields: Fields, name: str, *, at: int = 1) -> tuple[str, str]:
    """The platform's own ids in a key of the page's: of a place, and of what is in it, or nothing."""
    place, *more = str(fields[name]).split(" ")[at:]
    return place, more[0] if more else ""


def _named(place: str) -> str:
    if not place:
        raise NoWords("something in a thread that no words tell from others")
    return place


def _back(line: Line, wanted: object, fitting: list[Any]) -> Line:
    """Say how many messages that it could be about are newer. Raises ValueError if it can't be about the *wanted* one."""
    return replace(line, back=len(fitting) - 1 - fitting.index(wanted))


def _slack_label(blocks: Any, fields: Fields) -> str:
    wanted = (fields["action"], fields.get("value"))
    there = list(on_slack.clickables(blocks))
    return _label([one for one in there if wanted in ((one.action, one.value), (one.action, None))], there)


def _discord_label(message: discord.Message, fields: Fields) -> str:
    values = tuple(map(str, fields.get("values") or ()))
    there = list(on_discord.clickables(message))
    return _label([one for one in there if (one.custom_id, one.values) == (fields["action"], values)], there)


def _label(wanted: Sequence[Clickable], there: Sequence[Clickable]) -> str:
    """What stands on the first of the *wanted*. Raises LookupError if there are none."""
    first = next(one for one in there if one.is_called(wanted[0].label))
    if first is not wanted[0]:
        raise NoWords("a click on the second of two that are called the same")
    return first.label


def _filled(texts: Iterator[str]) -> Iterator[str]:
    try:
        yield from texts
    except KeyError as error:
        raise NoWords("something chosen in a form that has no words") from error


def _with_files(line: Line, fields: Fields) -> Line:
    return replace(line, files=tuple(map(_file, fields.get("files") or ())))


def _file(given: Fields) -> Sent:
    try:
        content = base64.b64decode(given["content"], validate=True)
    except binascii.Error as error:
        raise ValueError from error
    if len(content) > FILE_BYTES:
        raise NoWords(f"a file of {len(content):,} bytes")
    kind = str(given["kind"])
    return Sent(str(given["name"]), content, kind if _KIND.fullmatch(kind) else "application/octet-stream")
