"""Slack's limits on sizes, each in the unit in which Slack counts, and how much of them something takes."""

from __future__ import annotations

from functools import partial

from bots.text.cut import shortened, utf8, utf16

# What chat.update takes as `text`: https://docs.slack.dev/reference/methods/chat.update#errors. That page says
# characters, but bytes of UTF-8 are what counts, after escaping: https://github.com/openclaw/openclaw/pull/115027
# (4,000 pass, 4,002 don't). chat.postMessage takes more, but what is posted may have to be updated.
UPDATE_TEXT = 4_000  # bytes of UTF-8, escaped
TEXT_LIMIT = 3_900  # of these are used

MESSAGE_BLOCKS = 50  # https://docs.slack.dev/reference/block-kit/blocks
# Slack publishes no number for what msg_blocks_too_long guards. 13,297 characters were seen to pass alone and 13,172
# beside a divider, which makes 125 for a block more: https://github.com/slackapi/bolt-js/issues/2509
MESSAGE_WEIGHT, BLOCK_WEIGHT = 13_200, 125  # characters, escaped
FOOTER_WEIGHT = 1_500  # for the blocks of the footer and what they say
ABOVE_FOOTER = MESSAGE_WEIGHT - FOOTER_WEIGHT
# What the parts inside of rich text weigh was never measured, so that a page leaves room; and with each block counting
# so much, those of a page, of what went wrong and of the footer are never more than MESSAGE_BLOCKS.
PAGE_WEIGHT, BLOCK_SHARE = 9_000, 200  # characters, escaped

# What a stream takes in all no page says: 11,977 characters were taken of 15,668, and 10,600 bytes beside cards.
# https://github.com/CopilotKit/CopilotKit/issues/6063, https://github.com/openclaw/openclaw/pull/143882
STREAM_BYTES = 9_000
STREAM_PAGE = 8_000  # of these, for a page's words, as what is escaped takes more

# https://docs.slack.dev/reference/block-kit/blocks/table-block
TABLE_ROWS = 100

# https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_VALUE = 2_000  # characters
# A text object takes 3,000 (https://docs.slack.dev/reference/block-kit/composition-objects/text-object), but it weighs
# beside a full page as well.
ASIDE_LIMIT = 1_000  # characters, escaped


def escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text_bytes(text: str) -> int:
    """What *text*, not escaped yet, counts as the `text` of a message."""
    return utf8(escaped(text))


def weight(text: str) -> int:
    """What *text*, not escaped yet, counts in blocks; a character beyond U+FFFF is two, in case Slack counts so."""
    return utf16(escaped(text))


fallback = partial(shortened, limit=TEXT_LIMIT, length=text_bytes)
aside = partial(shortened, limit=ASIDE_LIMIT, length=weight)
