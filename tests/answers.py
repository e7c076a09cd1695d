"""Answers that are more than they look: of other bytes than characters, of other units than signs, of many blocks."""

from __future__ import annotations

import re
import unicodedata

FAMILY, FLAG, SCOTLAND, THUMB = "👩‍👩‍👧‍👦", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👍🏽"
# What people see as one sign, and no page may tear.
SIGNS = (FAMILY, FLAG, SCOTLAND, THUMB, "e\u0301", "n\u0303\u0331", "क्षि", "\u1112\u1161\u11ab", "1\ufe0f\u20e3", "❤️")

_SAMPLES = {
    "chinese": "这是一个中文答案，里面有很多字。",
    "russian": "Это простой русский ответ, и слов в нём много. ",
    "arabic": "هذا جواب بسيط باللغة العربية وفيه كلمات كثيرة. ",
    "emoji": "😀🎉🚀" + FAMILY + FLAG + THUMB,
    "marks": "".join(SIGNS),
    "angles": "<&>",
    "headings": "## Часть & 部分\n\nслово <b> 字\n\n",
    "fences": "```py\nx = a < b & c  # 注释\n```\n\nслово\n\n",
    "tables": "| а | 字 |\n|---|---|\n| 1 & 2 | <3> |\n\nслово\n\n",
}
KINDS = tuple(_SAMPLES)
LENGTHS = (100, 1_000, 4_000, 12_000)  # characters

# What a page may add: marks of code or tables that goes on.
_MARKS = re.compile(r"[\s|`\-+]")


def answer(kind: str, length: int) -> str:
    """Some *length* characters, ending with a whole sign."""
    sample = _SAMPLES[kind]
    return (sample * max(1, length // len(sample))).strip()


def words(text: str) -> str:
    """All that is said in *text*, in order, and nothing of how it is laid out or spelt."""
    said = re.sub(r"\\([^\w\s])", r"\1", text)
    return _MARKS.sub("", unicodedata.normalize("NFC", said))
