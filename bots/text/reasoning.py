"""Keeps apart what a model thought (`<think>…</think>`) and what it answered."""

import re

# A fence is matched first and whole, so that code about the tag keeps it. An unclosed tag or fence reaches to the end.
_FENCE = r"^ {0,3}(?P<marker>`{3,}|~{3,}).*?(?:^ {0,3}(?P=marker)|\Z)"
_PARTS = re.compile(rf"{_FENCE}|^[ \t]*<think>(?P<thought>.*?)(?:</think>\s*|\Z)", re.MULTILINE | re.DOTALL)
_BEGUN = re.compile(r"^[ \t]*<(?:t(?:h(?:i(?:nk?)?)?)?)?\Z", re.MULTILINE)


def visible(answer: str, *, streaming: bool = False) -> str:
    """The answer without its thoughts, with one kind of line end; *streaming* also holds back a tag half said."""
    text = answer.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if "<think>" in text:
        text = _PARTS.sub(lambda part: part[0] if part["thought"] is None else "", text)
    if streaming:
        text = _BEGUN.sub("", text)
    return text.lstrip("\n")
