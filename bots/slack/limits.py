"""How much Slack takes, each limit in the unit in which Slack counts it, and how much of that is used."""

from __future__ import annotations

from functools import partial

from bots.text.cut import shortened, utf8, utf16

# What chat.update takes as `text`: https://docs.slack.dev/reference/methods/chat.update#errors. That page says
# characters, but bytes of UTF-8 are what counts, after escaping: https://github.com/openclaw/openclaw/pull/115027
# (4,000 pass, 4,002 don't). chat.postMessage takes more, but what is posted may have to be updated.
UPDATE_TEXT = 4_000  # bytes of UTF-8, escaped
TEXT_LIMIT = 3_900  # of these are used

# All markdown blocks of a message together, and `markdown_text`:
# https://docs.slack.dev/reference/block-kit/blocks/markdown-block. Characters, but native streams were seen to end
# between 10,000 and 12,000 *bytes*.
MARKDOWN_TEXT = 12_000  # characters
# One size for both, so that a page can move from a stream to a message; it also keeps every table under TABLE_TEXT.
PAGE_LIMIT = 9_000  # bytes of UTF-8

# After Markdown was rendered, when each heading, table, rule, piece of code, and run of text between these is one:
# https://docs.slack.dev/reference/block-kit/blocks and …/blocks/markdown-block
MESSAGE_BLOCKS = 50
FOOTER_BLOCKS = 2
# Slack publishes no number for what msg_blocks_too_long guards. 13,297 characters were seen to pass alone and 13,172
# beside a divider, which makes 125 for a block more: https://github.com/slackapi/bolt-js/issues/2509
MESSAGE_WEIGHT, BLOCK_WEIGHT = 13_200, 125  # characters, escaped
FOOTER_WEIGHT = 1_500  # for the blocks of the footer and what they say
PAGE_WEIGHT = MESSAGE_WEIGHT - FOOTER_WEIGHT

# https://docs.slack.dev/reference/block-kit/blocks/table-block
TABLE_ROWS = 100
TABLE_TEXT = 10_000  # characters of all cells of a message
TABLES = 1  # in a message

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


def page_bytes(text: str) -> int:
    """What *text* takes of PAGE_LIMIT: its bytes, or more if its weight takes a bigger share of PAGE_WEIGHT."""
    size = utf8(text)
    # Where nothing is escaped there are never fewer bytes than what is weighed.
    return max(size, _share(weight(text))) if "<" in text or "&" in text or ">" in text else size


def _share(weight: int) -> int:
    return -(-weight * PAGE_LIMIT // PAGE_WEIGHT)


BLOCK_SHARE = _share(BLOCK_WEIGHT)
fallback = partial(shortened, limit=TEXT_LIMIT, length=text_bytes)
aside = partial(shortened, limit=ASIDE_LIMIT, length=weight)
