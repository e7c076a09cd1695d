"""Renders a page for Slack: as typed blocks; if refused, as plain text in blocks; then as text without blocks and buttons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.reply.opening import asked, bold, name, quoted
from bots.slack import limits, markdown
from bots.slack.buttons import context, footer
from bots.text.cut import pieces, shortened
from bots.text.reasoning import visible
from core.language import say
from core.words import is_blank

if TYPE_CHECKING:
    from bots.reply.page import Page
    from bots.slack.note import Where
    from core.turn import Question, Turn

PLAIN, BARE = 1, 2
_NO_WORDS = "…"  # of an answer that is a rule, or an empty table


class SlackRenderer:
    """The renderer of one turn."""

    plainest = BARE
    drops_buttons = False  # https://docs.slack.dev/reference/methods/chat.update: blocks go all together
    silence = ""
    reopens = True

    def __init__(self, turn: Turn, where: Where, *, offers: bool = False) -> None:
        self.offers = offers
        self.opens_alone = where.opens
        self.opening = _opening(turn.question, where) if where.opens else ""
        self.shares = where.about is not None
        self._is_direct = where.channel.startswith("D")

    def pages(self, text: str, *, streaming: bool = False, plainness: int = 0, most: int | None = None) -> list[str]:
        if plainness:
            # What Slack refused is tried in small pieces, each of which is all of the `text` as well.
            return pieces(visible(text, streaming=streaming), limits.TEXT_LIMIT, limits.text_bytes)
        # Also where an answer is no stream: its pages stay what they are, whatever Slack lets us do.
        return markdown.pages(text, streaming=streaming, are_streams=self._is_direct, most=most)

    def fits(self, page: Page, plainness: int) -> bool:
        # A page has room for its footer, whatever it says.
        if not plainness:
            said = markdown.joined(page.text, page.under)
            weight = limits.weight(markdown.words(said)) + limits.BLOCK_WEIGHT * len(said)
            return not page.under or weight <= limits.ABOVE_FOOTER
        aside = page.aside if plainness == BARE else ""
        return limits.text_bytes(_joined(page.text, page.under, aside)) <= limits.TEXT_LIMIT


def _opening(question: Question, where: Where) -> str:
    if where.branch_of is not None:
        whose, link = bold(name(question)), where.branch_of
        if link:
            goes_on = say("{name} goes on from [an answer](<{link}>):", name=whose, link=link)
        else:
            goes_on = say("{name} goes on from an answer:", name=whose)
        return f"{goes_on}\n{quoted(question.text)}"
    if not question.is_private:
        return asked(question, whole=True)
    link = where.about.link if where.about else ""
    said = say("You asked about [this message](<{link}>):", link=link) if link else say("You asked:")
    return f"{said}\n{quoted(question.text, whole=True)}"


def content(page: Page, plainness: int, turn: Turn) -> dict[str, Any]:
    """Return the arguments that say it."""
    if plainness == BARE:  # without blocks there is no other place for the aside
        return {"text": limits.escaped(_joined(page.text, page.under, page.aside)), "blocks": []}
    if plainness == PLAIN:
        text, under = page.text or "", page.under
        said = [_rich_text(_joined(text, under))] if text or under else []
    else:
        text, under = (markdown.words(markdown.joined(part)) for part in (page.text, page.under))
        # Small, and in a block of its own, so that nobody takes it for the end of the answer.
        said = (
            [*markdown.joined(page.text), context(under)] if text and under else markdown.joined(page.text, page.under)
        )
    fallback = limits.escaped(_fallback(text, under, page.aside))
    if said:
        return {"text": fallback, "blocks": [*said, *footer(page, turn)]}
    # Alone it stands where an answer was, or will be, and nothing but rich text can take the place of that.
    aside = _rich_text(limits.aside(page.aside), style={"italic": True})
    return {"text": fallback, "blocks": [aside, *footer(replace(page, aside=""), turn)]}


def _rich_text(text: str, **more: object) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text, **more}]}
    return {"type": "rich_text", "elements": [section]}


def _fallback(text: str, under: str, aside: str) -> str:
    """Return what notifications and screen readers say: what went wrong is not cut off."""
    if not text or not under:
        said = text or under or aside
        return _NO_WORDS if is_blank(said) else limits.fallback(said)
    room = limits.TEXT_LIMIT - limits.text_bytes(under) - 2
    return limits.fallback(_joined(shortened(text, room, limits.text_bytes), under))


def _joined(*paragraphs: str | None) -> str:
    return "\n\n".join(filter(None, paragraphs))
