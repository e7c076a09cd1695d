"""Keeps apart how a model reasoned (`<think>…</think>` and its siblings) and what it answered."""

import re

# What open models and their servers put around it.
_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think", "antml:thinking")
_NAME, _MORE = "|".join(sorted(_NAMES, key=len, reverse=True)), r"(?:\s[^<>\n]{0,200})?"
# https://cookbook.openai.com/articles/openai-harmony: channels, of which only the final one is for people.
_CHANNEL = r"(?:<\|start\|>assistant)?<\|channel\|>"
_OPENING = (
    rf"<(?:{_NAME}){_MORE}>|(?-i:\[THINK\])|◁think▷"
    rf"|{_CHANNEL}(?:analysis|commentary)[^\n<]{{0,100}}(?:<\|constrain\|>\w{{0,20}})?<\|message\|>"
)
_FINAL = rf"{_CHANNEL}final[^\n<]{{0,100}}<\|message\|>"
_CLOSING = rf"</(?:{_NAME})\s*>|(?-i:\[/THINK\])|◁/think▷|(?:<\|(?:end|call)\|>)?{_FINAL}|<\|(?:end|call)\|>"
# Around an answer or at its end; nothing that is said.
_MARK = r"<\|(?:return|begin_of_box|end_of_box)\|>"
# Code about the tags keeps them: a fence, also in a list or a quote, is matched first and whole, up to the end if it
# isn't closed.
_CODE = (
    r"^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(?P<marker>`{3,}(?=[^`\n]*$)|~{3,}).*?(?:^[ \t>]*(?P=marker)|\Z)"
    r"|(?<!`)(?P<run>`++)[^\n]{1,300}?(?<!`)(?P=run)(?!`)|`+[^`\n]+`+"
)
_TAG = re.compile(rf"(?P<opening>{_OPENING})|(?P<closing>{_CLOSING})|(?P<mark>{_MARK})", re.IGNORECASE)
_CONTROLS = ("start", "channel", "end", "call", "return", "begin_of_box", "end_of_box")
_LONGEST_TAG = 250  # characters
_CODE_OR_TAG = re.compile(rf"(?P<code>{_CODE})|{_TAG.pattern}", re.IGNORECASE | re.MULTILINE | re.DOTALL)


def _begun(word: str) -> str:
    """A pattern for all that *word* may begin with."""
    return re.escape(word[0]) + (rf"(?:{_begun(word[1:])})?" if len(word) > 1 else "")


_BEGUN = re.compile(
    rf"(?:</?(?:(?:{_NAME})(?:\s[^<>\n]{{0,200}})?|{'|'.join(map(_begun, _NAMES))})?"
    rf"|{'|'.join(map(_begun, ('[THINK', '[/THINK', '◁think', '◁/think')))}"
    rf"|{'|'.join(map(_begun, [f'<|{name}|' for name in _CONTROLS]))}"
    r"|<\|(?:start|channel|end|call)\|>(?:(?!<\|message\|>)[^\n]){0,150})\Z",
    re.IGNORECASE,
)


def visible(answer: str, *, streaming: bool = False) -> str:
    """The answer without its reasoning, with one kind of line end; *streaming* also holds back a tag half said.

    Reasoning that never ends may be all that the model said: once the answer is over it is shown. What stands above a
    closing tag that nothing opened is reasoning as well: some servers eat the first tag.
    """
    return _apart(answer, streaming=streaming)[0]


def reasoning(answer: str) -> str:
    """How the model reasoned before it answered; empty if it didn't, or if that is all that there is."""
    return "\n\n".join(filter(None, map(str.strip, _apart(answer, streaming=False)[1])))


def _apart(answer: str, *, streaming: bool) -> tuple[str, list[str]]:
    text = answer.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if streaming:
        text = text[:-_LONGEST_TAG] + _BEGUN.sub("", text[-_LONGEST_TAG:])
    shown, hidden = _split(text, streaming=streaming) if re.search(r"[<\[◁]", text) else (text, [])
    return shown.lstrip("\n"), hidden


def _split(text: str, *, streaming: bool) -> tuple[str, list[str]]:
    shown, done, place, depth = "", 0, 0, 0
    hidden: list[str] = []
    while tag := (_TAG if depth else _CODE_OR_TAG).search(text, place):
        place = tag.end()
        is_mark = tag["mark"] or (tag["closing"] and tag[0].startswith("<|"))
        if is_mark and not depth:
            shown += text[done : tag.start()]
            done = place
        elif tag["opening"]:
            if not depth:
                shown += text[done : tag.start()]
                done = place
            depth += 1
        elif tag["closing"] and (depth == 1 or not (depth or shown)):
            hidden.append(text[done : tag.start()])
            shown, depth, done = shown.rstrip(" \t") if shown.rstrip(" \t").endswith("\n") else shown, 0, place
            if _ends_in_word(shown) and text[done : done + 1].isalnum():
                shown += " "
            while (not shown or shown.endswith("\n")) and text[done : done + 1].isspace():
                done += 1
        elif tag["closing"] and depth:
            depth -= 1
    if depth and streaming:
        return shown, [*hidden, text[done:]]
    joins = depth and _ends_in_word(shown) and text[done : done + 1].isalnum()
    return shown + " " * bool(joins) + text[done:], hidden


def _ends_in_word(shown: str) -> bool:
    """Would what follows a tag run into the word before it?"""
    return shown[-1:].isalnum()
