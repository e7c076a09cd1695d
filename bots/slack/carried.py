"""Reads what a Slack message brings along beside its text: forwards, tables, what apps lay out. Pure: no network, no clock.

A forward is an attachment that says `is_share`, and a message that somebody linked to one that says `is_msg_unfurl`; on
no page of Slack's reference, but in what workspaces send (https://github.com/slackapi/java-slack-sdk/issues/1179). A
table that somebody pastes is in the blocks of an attachment that says nothing else (https://github.com/vercel/chat/issues/803).
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from bots.slack.blocks import elements_in, own_texts, tables_of, text_of
from bots.slack.files import attachment_of
from bots.slack.written import plain
from core.attachment import MOST, Attachment
from core.names import tame
from core.quote import Quote, Source
from core.words import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bots.slack.names import Names

_MOST = 100  # of one message, the rest of which is not read
_DEEPEST = 3  # forwards in a forward that are read
_BY_WHOM = re.compile(
    r"^\s*\[[^\]\n]{1,100}\] [^:\n]{1,200}: "
)  # a `fallback` begins so: `[February 4th, 2021 6:11 AM] ada: …`
_NO_WORDS = ("[no preview available]", "This message contains interactive elements.")  # as a `fallback`


def quotes_of(message: Mapping[str, Any], bot_user: str, names: Names) -> tuple[Quote, ...]:
    """Return what *message* brings along: of previews of links nothing, and nothing that its text says as well."""
    return tuple(islice(_quotes(message, bot_user, names), _MOST))


def is_forward(attachment: object) -> bool:
    return isinstance(attachment, dict) and bool(attachment.get("is_share") or attachment.get("is_msg_unfurl"))


def files_of(files: object) -> list[Attachment]:
    """Return the *files* that were sent along and are still there."""
    sent = [one if isinstance(one, dict) else {} for one in (files if isinstance(files, list) else [])[:MOST]]
    return [one for one in map(attachment_of, sent) if one]


def _quotes(message: Mapping[str, Any], bot_user: str, names: Names) -> Iterator[Quote]:
    text = text if isinstance(text := message.get("text"), str) else ""
    is_apps = bool(message.get("bot_id"))
    yield from _laid_out(message.get("blocks"), text, names, is_apps=is_apps)
    for attachment in elements_in(message.get("attachments")):
        if is_forward(attachment):
            yield from _forwards(attachment, bot_user, names, _DEEPEST)
        elif not _is_preview(attachment):
            if is_apps:
                yield from _embed("\n".join(_seen(own_texts(attachment, names))))
            else:
                yield from _embed(tables_of(attachment.get("blocks"), names))
    yield from _voices(message.get("files"))


def _laid_out(blocks: object, text: str, names: Names, *, is_apps: bool) -> Iterator[Quote]:
    """Of people's blocks, `written` makes the words, but for tables; apps write what they like into both."""
    if is_apps:
        words = text_of(blocks, names)
        if " ".join(words.split()) not in " ".join(plain(text, "", names.words).split()):
            yield from _embed(words)
    else:
        yield from _embed(tables_of(blocks, names))


def _embed(text: str) -> Iterator[Quote]:
    if not is_blank(text):
        yield Quote(Source.EMBED, text)


def _is_preview(attachment: Mapping[str, Any]) -> bool:
    """https://docs.slack.dev/messaging/unfurling-links-in-messages"""
    return any(attachment.get(sign) for sign in ("from_url", "original_url", "is_app_unfurl", "app_unfurl_url"))


def _forwards(attachment: Mapping[str, Any], bot_user: str, names: Names, depth: int) -> Iterator[Quote]:
    """Yield what was forwarded, and what that forwards."""
    inner = [wrapped.get("message") for wrapped in elements_in(attachment.get("message_blocks"))]
    messages = [one for one in inner if isinstance(one, dict)]
    text = attachment.get("text")
    words = plain(text, "", names.words) if isinstance(text, str) else ""
    blocks = [block for one in (attachment, *messages) for block in elements_in(one.get("blocks"))]
    parts = [tables_of(blocks, names)] if not is_blank(words) else [text_of(blocks, names)]
    sent = tuple(files_of(attachment.get("files")))
    below = [one for of in (attachment, *messages) for one in elements_in(of.get("attachments")) if is_forward(one)]
    said = "\n\n".join(_seen([words, *parts])) or ("" if sent or below else _fallback(attachment, names))
    is_ours = attachment.get("author_id") == bot_user
    author = "" if is_ours else tame(names.author(attachment.get("author_id"), attachment.get("author_name")))
    if said or sent:
        yield Quote(Source.FORWARD, said, author, is_ours, sent)
    for one in below if depth else ():
        yield from _forwards(one, bot_user, names, depth - 1)


def _fallback(attachment: Mapping[str, Any], names: Names) -> str:
    fallback = attachment.get("fallback")
    if not isinstance(fallback, str) or fallback in _NO_WORDS:
        return ""
    return plain(fallback if names.tells else _BY_WHOM.sub("", fallback), "", names.words)


def _seen(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if not is_blank(text)]


def _voices(files: object) -> Iterator[Quote]:
    """What Slack records comes as `slack_audio` with its length: openclaw/openclaw and others tell of it, no page does."""
    for one in elements_in(files):
        if one.get("subtype") == "slack_audio":
            length = one.get("duration_ms")
            seconds = round(length / 1000) if isinstance(length, int | float) and 0 < length < 1e8 else 0
            lasting = f" of {max(1, seconds)} seconds" if seconds > 0 else ""
            yield Quote(Source.VOICE, f"A voice message{lasting}, which you can't hear")
