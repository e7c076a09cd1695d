"""Reads from a conversation what people told the emulator about themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_END = r"[^.,;!?\n\"<>]+"
_TOLD: tuple[tuple[str, str], ...] = (
    (r"\bmy ([a-z][\w' -]{0,40}?) (?:is|are) (?!not\b)(" + _END + ")", ""),
    (r"\b(?:call me|I am called|I'm called) (" + _END + ")", "name"),
    (r"\bcall it (" + _END + ")", "it"),
    (r"\bI live (?:in|at|near) (" + _END + ")", "home"),
    (r"\bI work (?:in|at|for|as) (" + _END + ")", "work"),
)
_REMEMBER = re.compile(r"(?<!do you )\bremember(?: that|:| this:)\s+(?!I\b.*\?)([^.!?\n\"]+)", re.IGNORECASE)
_SPELLINGS = {"favorite": "favourite", "color": "colour"}
_ASKER = re.compile(r'\A"[^"\n]*" asks:\n+')  # who asks, on a line of its own
_QUOTED = re.compile(r"\s*(?:>|\{\"|</?\w+>)")


def ask_of(question: str) -> str:
    """Return what is asked now, without who asks and what is quoted: lines that begin with `>`, a tag, or a JSON object."""
    question = _ASKER.sub("", question)
    lines = question.splitlines()
    quoted = [number for number, line in enumerate(lines) if _QUOTED.match(line)]
    if not quoted:
        return question.strip()
    after = "\n".join(lines[quoted[-1] + 1 :]).strip()
    after = _ASKER.sub("", re.sub(r"\A(?!\")[^\n]*:\n+", "", after))  # such as "Answer this question:"
    return after or "\n".join(lines[: quoted[0]]).strip() or question.strip()


def questions_of(texts: Sequence[str]) -> list[str]:
    """Return what was asked in turn, quoted earlier turns included; the last one is what is asked now."""
    found = []
    for text in texts:
        lines = [line for line in text.splitlines() if not line.startswith('{"what"')]  # what a message brings along
        found += [asked for line in lines if (asked := _quoted_question(line))]
        found.append(ask_of(text))
    return found


class Facts:
    """What was told, newest last."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._known: dict[str, str] = {}
        self._remembered: list[str] = []
        for text in texts:
            self._learn(_plain(text))

    def asked_for(self, ask: str) -> str:
        """Answer a question about what was told, empty if it is none."""
        if found := re.search(r"\bwhat(?:'s|’s| is| was| are| were)? my ([\w'’ -]+)", ask, re.IGNORECASE):
            return self._answer(_key(re.sub(r"\b(?:again|please|now)\b", "", found[1]).strip()))
        for pattern, key in (
            (r"\bwho am I\b|\bdo you (?:know|remember) my name\b", "name"),
            (r"\bwhere (?:do I|am I) (?:live|living)\b", "home"),
            (r"\b(?:where|what) do I work\b|\bwhere I work\b", "work"),
            (r"\bwhat (?:did|do|should|shall) (?:we|I|you) call it\b|\bwhat is it called\b", "it"),
        ):
            if re.search(pattern, ask, re.IGNORECASE):
                return self._answer(key)
        return ""

    def noted(self, ask: str) -> str:
        """Acknowledge what *ask* tells, empty if it tells nothing or asks for more."""
        new = Facts([ask])
        if "?" in ask or not (new._known or new._remembered):
            return ""
        sentences = [_sentence(key, value) for key, value in new._known.items()] + new._remembered
        return f"Noted: {'; '.join(sentences)}."

    def told(self) -> str:
        """Return everything that was told."""
        if not self._known and not self._remembered:
            return "You haven't told me anything to remember in this conversation."
        items = [_sentence(key, value) for key, value in self._known.items()] + self._remembered
        return "You told me:\n\n" + "\n".join(f"- {item}" for item in items)

    def _answer(self, key: str) -> str:
        if key in self._known:
            sentence = _sentence(key, self._known[key])
            return f"{sentence[:1].upper()}{sentence[1:]}."
        what = {"home": "where you live", "work": "where you work", "it": "what it is called"}.get(key, f"your {key}")
        return f"I don't know {what}: you haven't told me in this conversation."

    def _learn(self, text: str) -> None:
        for found in _REMEMBER.finditer(text):
            self._remembered.append(_turned(found[1].strip()))
        for pattern, slot in _TOLD:
            for found in re.finditer(pattern, text, re.IGNORECASE):
                key = slot or _key(found[1])
                value = found[found.lastindex or 1].strip()
                self._known[key] = re.split(r"\s+and\s+(?:my|I)\b", value)[0]


def _plain(text: str) -> str:
    """Take the quotes and escapes of JSON off, so that a fact ends where it was said to end."""
    return "\n".join(
        _quoted_question(line) or ("" if line.lstrip().startswith('{"') else line) for line in text.splitlines()
    )


def _quoted_question(line: str) -> str:
    """Return what a quoted line asked: `{"asked": …}`, or the line itself after `>`."""
    stripped = line.strip()
    if stripped.startswith(">"):
        return re.sub(r"^[>\s]*(?:\**\w+\**:\s*)?", "", stripped)
    if not stripped.startswith('{"'):
        return ""
    try:
        quoted = json.loads(stripped)
    except ValueError:
        return stripped
    if "file" in quoted:  # nobody asked what stands in one
        return ""
    values = [quoted[key] for key in ("asked", "question", "content", "text") if isinstance(quoted.get(key), str)]
    return values[0] if values else ""


def _key(words: str) -> str:
    return " ".join(_SPELLINGS.get(word, word) for word in words.lower().replace("’", "'").split())


def _sentence(key: str, value: str) -> str:
    if key in ("home", "work"):
        return f"you {'live' if key == 'home' else 'work'} at {value}"
    return f"it is called {value}" if key == "it" else f"your {key} is {value}"


def _turned(told: str) -> str:
    """What people say of themselves is about you when it is said back."""
    words = {"i": "you", "my": "your", "me": "you", "i'm": "you're", "am": "are", "mine": "yours"}
    return re.sub(r"\b(?:I'm|I|my|me|am|mine)\b", lambda found: words[found[0].lower()], told, flags=re.IGNORECASE)
