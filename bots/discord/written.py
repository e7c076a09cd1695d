"""Reads what a person wrote in Discord, as Markdown for a model, and whether it calls the bot. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from core.words import after_name, trimmed

_SENT = re.compile(
    r"[ \t]?<(?:(?P<mention>@[!&]?|\#)(?P<id>\d+)|/(?P<command>[^<>\n:]+):\d+|a?:(?P<emoji>\w+):\d+|t:(?P<time>\d{1,10})(?::\w)?)>"
)


# Discord reads nothing in code, and no backtick that is escaped begins some.
_ANY_CODE = re.compile(r"(?<!\\)(?P<marks>`+)(?!`)(?:.|\n)+?(?<!`)(?P=marks)(?!`)|```(?:.|\n)+?```")
_QUOTED = re.compile(r"^>>> (?:.|\n)*|^> .*$", re.MULTILINE)  # what somebody else said


def calls(content: str, mentions: Sequence[str]) -> bool:
    """Does *content* call by one of *mentions*, in what it says itself? A quote calls nobody, nor does code."""
    said = own_words(content)
    return any(mention in said for mention in mentions)


def own_words(content: str) -> str:
    """Return *content* without the code in it, and without what somebody else said."""
    return _QUOTED.sub("", _ANY_CODE.sub("`", content))


def plain(content: str, bot_user_id: str, names: Mapping[str, str], own_roles: Sequence[str] = ()) -> str:
    """What a person wrote, as they saw it; *names* has those of mentioned users, roles and channels by id.

    *own_roles* are the bot's, by which it is called as well.
    """
    named = "|".join((f"@!?{re.escape(bot_user_id)}", *(f"@&{re.escape(role)}" for role in own_roles)))
    own = re.search(rf"([*_~]{{0,3}})<(?:{named})>\1", content) if bot_user_id else None
    if own and not trimmed(content[: own.start()]):
        content = after_name(content[own.end() :])

    def spoken(sent: re.Match[str]) -> str:
        if sent["id"] in (own_roles if sent["mention"] == "@&" else (bot_user_id,)) and sent["mention"] != "#":
            return ""
        return sent[0][: sent[0].index("<")] + _spoken(sent, names)

    shown, done = "", 0
    for code in _ANY_CODE.finditer(content):
        shown += _SENT.sub(spoken, content[done : code.start()]) + code[0]
        done = code.end()
    return trimmed(shown + _SENT.sub(spoken, content[done:]))


def _spoken(sent: re.Match[str], names: Mapping[str, str]) -> str:
    if sent["mention"]:
        return sent["mention"][0] + names.get(sent["id"], sent["id"])
    if sent["command"]:
        return "/" + sent["command"]
    if sent["emoji"]:
        return f":{sent['emoji']}:"
    return f"{datetime.fromtimestamp(int(sent['time']), UTC):%Y-%m-%d %H:%M} UTC"
