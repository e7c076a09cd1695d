"""Keeps apart how a model reasoned (`<think>…</think>`) and what it answered."""

import re

_NAME = r"(?:think(?:ing)?|thought)"
_OPENING, _CLOSING = rf"<{_NAME}\s*>", rf"</{_NAME}\s*>"
# Code about the tags keeps them: a fence is matched first and whole, up to the end if it isn't closed.
_CODE = r"^ {0,3}(?P<marker>`{3,}|~{3,}).*?(?:^ {0,3}(?P=marker)|\Z)|`+[^`\n]+`+"
_TAG = re.compile(rf"(?P<opening>{_OPENING})|(?P<closing>{_CLOSING})", re.IGNORECASE)
_CODE_OR_TAG = re.compile(rf"(?P<code>{_CODE})|{_TAG.pattern}", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_BEGUN = re.compile(r"</?(?:t(?:h(?:i(?:n(?:k(?:i(?:ng?)?)?)?)?|o(?:u(?:g(?:ht?)?)?)?)?)?\s*)?\Z", re.IGNORECASE)


def visible(answer: str, *, streaming: bool = False) -> str:
    """The answer without its reasoning, with one kind of line end; *streaming* also holds back a tag half said.

    Reasoning that never ends may be all that the model said: once the answer is over it is shown.
    """
    text = answer.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if streaming:
        text = _BEGUN.sub("", text)
    if "<" in text:
        text = _without_reasoning(text, streaming=streaming)
    return text.lstrip("\n")


def reasoning(answer: str) -> str:
    """How the model reasoned before it answered; empty if it marked nothing as that, or if that is all there is."""
    hidden: list[str] = []
    _without_reasoning(answer.replace("\r\n", "\n"), streaming=False, hidden=hidden)
    return "\n\n".join(filter(None, (part.strip() for part in hidden)))


def _without_reasoning(text: str, *, streaming: bool, hidden: list[str] | None = None) -> str:
    """*hidden* is to hold what is left out."""
    shown, done, place, depth = "", 0, 0, 0
    while tag := (_TAG if depth else _CODE_OR_TAG).search(text, place):
        place = tag.end()
        if tag["opening"]:
            if not depth:
                shown += text[done : tag.start()]
                done = place
            depth += 1
        elif tag["closing"] and (depth == 1 or not (depth or shown)):
            if hidden is not None:
                hidden.append(text[done : tag.start()])
            # Some servers eat the tag with which the reasoning began.
            shown, depth, done = shown.rstrip(" \t") if shown.rstrip(" \t").endswith("\n") else shown, 0, place
            if _ends_in_word(shown) and text[done : done + 1].isalnum():
                shown += " "
            while (not shown or shown.endswith("\n")) and text[done : done + 1].isspace():
                done += 1
        elif tag["closing"] and depth:
            depth -= 1
    if depth and streaming:
        return shown
    joins = depth and _ends_in_word(shown) and text[done : done + 1].isalnum()
    return shown + " " * bool(joins) + text[done:]


def _ends_in_word(shown: str) -> bool:
    """Would what follows a tag run into the word before it?"""
    return shown[-1:].isalnum()
