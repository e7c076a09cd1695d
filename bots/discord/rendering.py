"""Renders a page for Discord, and says what stands above an answer to a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bots.discord import limits, markdown
from bots.discord.ids import guild_of
from bots.discord.note import ORIGINAL
from bots.reply.opening import bold, name
from bots.text.cut import shortened, utf16
from core.language import marked, say
from core.words import is_blank

if TYPE_CHECKING:
    from bots.discord.note import Where
    from bots.reply.note import Note
    from bots.reply.page import Page
    from core.turn import Turn

QUOTE_LIMIT = 300  # characters of a question asked by a command
_HELPS = marked("Worth another try: {when}")
_NOTHING_CAME = marked("*Stopped.*")
# Subtext: https://support.discord.com/hc/en-us/articles/210298617-Markdown-Text-101
_SUBTEXT = "-# "


class DiscordRenderer:
    """The renderer of one turn."""

    plainest = 0  # what is sent is text as it is
    drops_buttons = True
    opens_alone = False
    shares = True
    reopens = True

    def __init__(self, turn: Turn, note: Note[Where], *, offers: bool = False) -> None:
        self.offers = offers
        is_command = note.where.is_command
        has_words = any(message.id != ORIGINAL and not message.is_aside for message in note.messages)
        opening = [_quote(turn.question.text)] if is_command and not is_blank(turn.question.text) else []
        if is_command and note.where.about:
            opening.append(say("About {link}", link=_link(turn, note.where, note.where.about)))
        if note.where.branch_of:
            goes_on = say(
                "{name} goes on from [an answer](<{link}>).", name=bold(name(turn.question)), link=note.where.branch_of
            )
            opening = [goes_on]
        self.opening = "\n\n".join(opening)
        # Otherwise Discord would say “thinking…” for good.
        self.silence = say(_NOTHING_CAME) if is_command and not has_words else ""

    def pages(
        self,
        text: str,
        *,
        streaming: bool = False,
        plainness: int = 0,  # noqa: ARG002
        most: int | None = None,
    ) -> list[str]:
        return markdown.pages(text, streaming=streaming, most=most)

    def fits(self, page: Page, plainness: int) -> bool:  # noqa: ARG002
        return utf16(content(page)) <= limits.CONTENT


def content(page: Page) -> str:
    under = re.sub("^(?=.)", _SUBTEXT, page.under, flags=re.MULTILINE) if page.text else page.under
    words = "\n\n".join(filter(None, (page.text, under)))
    aside = markdown.pages(" ".join(page.aside.split()))
    shown = "\n".join(filter(None, (words, _SUBTEXT + aside[0] if aside else "")))
    if until := max((one.helps_at for one in page.buttons), default=0):
        with_time = f"{shown}\n{_SUBTEXT}{when_it_helps(until)}"
        return with_time if utf16(with_time) <= limits.CONTENT else shown
    return shown


def when_it_helps(until: int) -> str:
    """Say from when on another try may help; Discord itself counts the seconds down.

    https://discord.com/developers/docs/reference#message-formatting-timestamp-styles
    """
    return say(_HELPS, when=f"<t:{until}:R>")


def _link(turn: Turn, where: Where, message: int) -> str:
    return f"https://discord.com/channels/{guild_of(turn.question.thread.id) or '@me'}/{where.channel}/{message}"


def _quote(question: str) -> str:
    line = shortened(" ".join(question.split()), QUOTE_LIMIT)
    # As references, so that no tag of the asker's is taken for the model's.
    return "> " + discord.utils.escape_markdown(line).replace("&", "&amp;").replace("<", "&lt;")
