"""Turns a model's Markdown into what Discord shows, and what Discord sends into plain text for a model."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from bots.discord import limits
from bots.text.blocks import Block, Kind, blocks
from bots.text.budget import Budget
from bots.text.cut import utf16
from bots.text.inline import BREAK, Guard
from bots.text.pages import split
from bots.text.reasoning import visible
from bots.text.tables import aligned, records

_WIDEST_TABLE = 60  # characters of a code block before a narrow window breaks its lines
_RULE = "─" * 12  # Discord has no rule of its own
_DEEPEST_HEADING = 3

# https://discord.com/developers/docs/reference#message-formatting: users, roles, channels, commands, times, guild
# navigation, emoji; and the two words that call everybody.
_MENTION = (
    r"<(?=@[!&]?\d|\#\d|/[^<>\n]{1,100}:\d|t:-?\d|id:|a?:\w+:\d|sound:)"
    r"|@(?=\\?(?:everyone|here))"
)
_GUARD = Guard(anywhere=_MENTION)


_MEASURE = Budget(limit=limits.CONTENT, length=utf16, gains="<@]:`>", gain=1, table=_WIDEST_TABLE)


def pages(answer: str, *, streaming: bool = False) -> list[str]:
    """The answer, or as much of it as has come (*streaming*), in messages; none if there is nothing to show yet."""
    parts = split(visible(answer, streaming=streaming), _MEASURE, streaming=streaming)
    last = len(parts) - 1
    shown = (_page(part.text, streaming=streaming and index == last) for index, part in enumerate(parts))
    return [page for page in shown if page.strip()]


@lru_cache(maxsize=512)  # while an answer streams, only its last page is new
def _page(text: str, *, streaming: bool) -> str:
    lines = text.split("\n")
    found = blocks(text)
    shown = [
        _block(block, lines[block.start : block.end], streaming=streaming and block is found[-1]) for block in found
    ]
    return "\n".join(shown)


def _block(block: Block, lines: Sequence[str], *, streaming: bool) -> str:
    match block.kind:
        case Kind.CODE:
            shown = _code(block.content, block.info)
        case Kind.TABLE:
            columns = aligned(block.rows, _WIDEST_TABLE)
            shown = _code(columns) if columns else _GUARD.prose(records(block.rows))
        case Kind.RULE:
            shown = _RULE
        case Kind.HEADING if not block.nested:
            shown = _heading(block)
        case _:
            return _text("\n".join(lines), streaming=streaming)
    return re.sub("^", "> ", shown, flags=re.MULTILINE) if block.quoted else shown


def _text(text: str, *, streaming: bool) -> str:
    # Discord has one level of quotes, and takes `>>>` for a quote of all that follows.
    return re.sub(r"^[ \t]*(?:>[ \t]?)+", "> ", _GUARD.prose(text, streaming=streaming), flags=re.MULTILINE)


def _heading(block: Block) -> str:
    title = block.content.replace("\n", " ")
    if block.level <= _DEEPEST_HEADING or not title:
        return f"{'#' * min(block.level, _DEEPEST_HEADING)} {_GUARD.prose(title)}" if title else ""
    return f"**{_GUARD.prose(title.replace('**', ''))}**"


def _code(content: str, info: str = "") -> str:
    """Discord ends code at the first three backticks, wherever they are, and knows no longer fence."""
    if not content.strip():
        return ""
    language = re.match(r"[\w+#.-]{0,20}", info)
    inside = re.sub("`(?=``)", f"`{BREAK}", _GUARD.code(content.removesuffix("\n")))
    return f"```{language[0] if language else ''}\n{inside}\n```"


_SENT = re.compile(
    r"[ \t]?<(?:(?P<mention>@[!&]?|\#)(?P<id>\d+)|/(?P<command>[^<>\n:]+):\d+|a?:(?P<emoji>\w+):\d+|t:(?P<time>\d{1,10})(?::\w)?)>"
)


def plain(content: str, bot_user_id: str, names: Mapping[str, str]) -> str:
    """What a person wrote, as they saw it; *names* has those of mentioned users, roles and channels by id."""

    def spoken(sent: re.Match[str]) -> str:
        if sent["id"] == bot_user_id and sent["mention"] in ("@", "@!"):
            return ""
        return sent[0][: sent[0].index("<")] + _spoken(sent, names)

    return _SENT.sub(spoken, content).strip()


def _spoken(sent: re.Match[str], names: Mapping[str, str]) -> str:
    if sent["mention"]:
        return sent["mention"][0] + names.get(sent["id"], sent["id"])
    if sent["command"]:
        return "/" + sent["command"]
    if sent["emoji"]:
        return f":{sent['emoji']}:"
    return f"{datetime.fromtimestamp(int(sent['time']), UTC):%Y-%m-%d %H:%M} UTC"
