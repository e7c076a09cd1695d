"""How a page looks in Slack: Markdown, then plain text in blocks, then text without blocks and without a button."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bots.slack import limits, markdown
from bots.slack.buttons import footer
from bots.text.budget import Budget
from bots.text.cut import shortened
from bots.text.pages import split
from bots.text.reasoning import visible

if TYPE_CHECKING:
    from bots.reply.page import Page
    from core.turn import Turn

PLAIN, BARE = 1, 2
# What Slack refused is tried in small pieces, each of which is all of the `text` as well.
_PLAIN = Budget(limit=limits.TEXT_LIMIT, length=limits.text_bytes)


class SlackRenderer:
    """For all turns the same."""

    plainest = BARE
    drops_buttons = False  # https://docs.slack.dev/reference/methods/chat.update: blocks go all together
    opening = silence = ""

    def pages(self, text: str, *, streaming: bool = False, plainness: int = 0) -> list[str]:
        if plainness:
            return [part.text for part in split(visible(text, streaming=streaming), _PLAIN)]
        return [page.markdown for page in markdown.pages(text, streaming=streaming)]

    def fits(self, page: Page, plainness: int) -> bool:
        if plainness == BARE:
            return _PLAIN.holds(_joined(page.text, page.under, page.aside))
        # A page has room for its footer, whatever it says.
        budget = _PLAIN if plainness else markdown.BUDGET
        return not page.under or budget.holds(_joined(page.text, page.under))


def content(page: Page, plainness: int, turn: Turn) -> dict[str, Any]:
    """Return the arguments that say it."""
    if plainness == BARE:  # without blocks there is no other place for the aside
        return {"text": limits.escaped(_joined(page.text, page.under, page.aside)), "blocks": []}
    fallback = limits.escaped(_fallback(page))
    if text := _joined(page.text, page.under):
        return {"text": fallback, "blocks": [_block(text, plainness), *footer(page, turn)]}
    # Alone it stands where an answer was, or will be, of which Slack makes rich text.
    aside = _rich_text(limits.aside(page.aside), style={"italic": True})
    return {"text": fallback, "blocks": [aside, *footer(replace(page, aside=""), turn)]}


def _block(text: str, plainness: int) -> dict[str, Any]:
    if plainness != PLAIN:
        # https://docs.slack.dev/reference/block-kit/blocks/markdown-block
        return {"type": "markdown", "text": text}
    return _rich_text(text)


def _rich_text(text: str, **more: object) -> dict[str, Any]:
    # In rich text nothing is markup, so nothing can ping; and nothing else could take the place of what Slack has made
    # of Markdown (block_mismatch): https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text, **more}]}
    return {"type": "rich_text", "elements": [section]}


def _fallback(page: Page) -> str:
    """Return what notifications and screen readers say: what went wrong is not cut off."""
    if not page.text or not page.under:
        return limits.fallback(page.text or page.under or page.aside)
    room = limits.TEXT_LIMIT - limits.text_bytes(page.under) - 2
    return limits.fallback(_joined(shortened(page.text, room, limits.text_bytes), page.under))


def _joined(*paragraphs: str | None) -> str:
    return "\n\n".join(filter(None, paragraphs))
