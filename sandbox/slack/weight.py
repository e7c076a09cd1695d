"""How much room a message takes, as Slack counts it once Markdown is rendered and everything is escaped.

Slack publishes no number and names none in its refusal, `msg_blocks_too_long`. What people measured: 13,297 characters
pass in one markdown block and 13,172 beside a divider (slackapi/bolt-js#2509), so that a block more costs 125; twenty
headings leave room for 10,563 characters of prose and forty for 7,875, which is the same price. A sum of 12,000
"with a buffer for block containers" is what a maintainer says there. `&`, `<` and `>` count as their entities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from sandbox.slack.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MESSAGE_BLOCKS = 50  # after Markdown was rendered as well: …/block-kit/blocks/markdown-block
HEAVIEST = 13_297  # characters of a message that is one block
A_BLOCK = 125  # characters that each further one counts
TABLE_TEXT = 10_000  # over all tables of a message: https://docs.slack.dev/reference/block-kit/blocks/table-block

# Slack's own reading isn't published. This one sees no HTML, as Slack shows none.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_OWN_BLOCK = {"heading_open", "fence", "code_block", "table_open", "hr"}
_IN_A_RUN = {"inline"}
_OF_OTHERS = {"heading_close", "table_close"}  # text up to these is not of a run


def characters(text: str) -> int:
    """Characters as Slack counts them. Whether one beyond U+FFFF is one or two nobody measured: here it is two."""
    return len(text) + sum(each > "\uffff" for each in text)


def weighs_too_much(blocks: Sequence[object]) -> bool:
    rendered = sum(map(_rendered, blocks))
    weight = sum(characters(escape(text)) for block in blocks for text in _texts(block))
    return rendered > MESSAGE_BLOCKS or weight + A_BLOCK * max(0, rendered - 1) > HEAVIEST


def table_text(blocks: Sequence[object]) -> int:
    """Characters in all cells of *blocks*."""
    tables = [block for block in blocks if isinstance(block, dict) and block.get("type") == "table"]
    return sum(characters(text) for table in tables for text in _texts(table.get("rows")))


def rendered_blocks(markdown: str) -> int:
    """What a markdown block becomes: one for each heading, fence, table, rule, and run of text between these.

    Whether one of them inside of a list or a quote splits it, nobody measured: here it does.
    """
    count, is_run, depth = 0, False, 0
    for token in _MARKDOWN.parse(markdown):
        if token.type in _OWN_BLOCK:
            count, is_run = count + 1, False
        depth += (token.type in {"heading_open", "table_open"}) - (token.type in _OF_OTHERS)
        if token.type in _IN_A_RUN and not depth and not is_run:
            count, is_run = count + 1, True
    return max(1, count)


def _rendered(block: object) -> int:
    if isinstance(block, dict) and block.get("type") == "markdown":
        return rendered_blocks(str(block.get("text", "")))
    return 1


def _texts(node: object) -> Iterator[str]:
    """Every string called `text` below *node*, however deep."""
    if isinstance(node, list):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
