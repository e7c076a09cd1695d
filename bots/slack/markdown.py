"""Turns a model's Markdown into what Slack shows, and what Slack sends into plain text for a model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bots.slack import limits
from bots.text.blocks import Block, Kind, blocks
from bots.text.budget import Budget
from bots.text.inline import Guard
from bots.text.pages import split
from bots.text.reasoning import visible
from bots.text.tables import aligned, records

_WIDEST_TABLE = 80  # characters, in a code block


@dataclass(frozen=True, slots=True)
class Page:
    markdown: str  # for a markdown block or `markdown_text`
    fallback: str  # for `text`, escaped: notifications and screen readers


# https://docs.slack.dev/messaging/formatting-message-text: what Slack acts on. Prose is guarded more widely than code,
# since Markdown takes escapes and entities out of it before Slack looks.
_IN_CODE = (
    r"<(?=!(?:channel|here|everyone|subteam|date)\b|@[UWB][A-Z0-9]|#[CDG][A-Z0-9])"
    r"|@(?=\\?(?:channel|here|everyone))"
)
_IN_PROSE = r"<(?=\\?[!@#])|<(?=[^\s<>|]*\|)|&(?=\#|commat;|lt;\\?[!@\#])"
_GUARD = Guard(anywhere=_IN_CODE, in_prose=_IN_PROSE)


BUDGET = Budget(
    limit=limits.PAGE_LIMIT,
    length=limits.page_bytes,
    gains="<@]:&`",
    gain=3,
    table=_WIDEST_TABLE,
    block=limits.BLOCK_SHARE,
    most_blocks=limits.MESSAGE_BLOCKS - limits.FOOTER_BLOCKS,
)


def pages(answer: str, *, streaming: bool = False) -> list[Page]:
    """The answer, or as much of it as has come (*streaming*), in messages; none if there is nothing to show yet."""
    parts = split(visible(answer, streaming=streaming), BUDGET, streaming=streaming)
    last = len(parts) - 1
    shown = (_page(part.text, streaming=streaming and index == last) for index, part in enumerate(parts))
    return [page for page in shown if page.markdown.strip()]


@lru_cache(maxsize=512)  # while an answer streams, only its last page is new
def _page(text: str, *, streaming: bool) -> Page:
    markdown = _render(text, streaming=streaming)
    return Page(markdown, limits.escaped(limits.fallback(markdown)))


def _render(text: str, *, streaming: bool) -> str:
    lines = text.split("\n")
    found = blocks(text)
    native = next((block for block in found if _fits_native(block)), None)
    shown = [
        _block(
            block, lines[block.start : block.end], native=block is native, streaming=streaming and block is found[-1]
        )
        for block in found
    ]
    return "\n".join(shown)


def _fits_native(block: Block) -> bool:
    return block.kind is Kind.TABLE and not block.nested and len(block.rows) <= limits.TABLE_ROWS


def _block(block: Block, lines: Sequence[str], *, native: bool, streaming: bool) -> str:
    if block.kind is Kind.CODE:
        return _GUARD.code("\n".join(lines))
    if block.kind is not Kind.TABLE:
        return _GUARD.prose("\n".join(lines), streaming=streaming)
    if native:
        return "\n".join(map(_GUARD.prose, lines))
    return _laid_out(block)


def _laid_out(block: Block) -> str:
    columns = aligned(block.rows, _WIDEST_TABLE)
    text = f"```\n{_GUARD.code(columns)}\n```" if columns else _GUARD.prose(records(block.rows))
    return re.sub("^", "> ", text, flags=re.MULTILINE) if block.quoted else text


_SENT = re.compile(r"[ \t]?<(?P<kind>[@#!]?)(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")


def plain(text: str, bot_user_id: str, names: Mapping[str, str]) -> str:
    """What a person wrote, as they saw it; *names* has those of mentioned users by id, where known."""

    def spoken(sent: re.Match[str]) -> str:
        if sent["kind"] == "@" and sent["target"] == bot_user_id:
            return ""
        space = sent[0][: sent[0].index("<")]
        return space + _spoken(sent["kind"], sent["target"], sent["label"] or "", names)

    said = _SENT.sub(spoken, text).strip()
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _spoken(kind: str, target: str, label: str, names: Mapping[str, str]) -> str:
    match kind:
        case "@":
            return "@" + names.get(target, label or target)
        case "#":
            return "#" + (label or target)
        case "!":  # <!here>, <!subteam^S1|@team>, <!date^…|what an old client shows>
            return label or "@" + target.split("^")[1 if target.startswith("subteam^") else 0]
        case _:
            address = target.removeprefix("mailto:")
            is_same = label in ("", target, address, re.sub("^https?://", "", target))
            return address if is_same else f"{label} ({address})"
