"""Decides whether what nobody said to the bot in so many words is for it: the quiet rule. Pure.

What a platform marks comes first, then names, then who spoke since the bot and whether it had asked something. Words of
courtesy come last: see `bots.listening.courtesy`. In doubt it answers where only one person speaks with it, and keeps still
where there are several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

from bots.listening.courtesy import is_courtesy, is_thanks
from core.words import after_name, is_blank

if TYPE_CHECKING:
    from collections.abc import Collection

_FEW_WORDS = 6  # with which a question of the bot's is answered


class Conduct(Enum):
    """The ways to take a message."""

    ANSWER = auto()
    QUIET = auto()
    REACT = auto()  # a thumb up, and no words


class RepliesTo(StrEnum):
    """Whose message it replies to, by the platform's own mark."""

    NOBODY = "nobody"
    BOT = "bot"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Addressing:
    """Whom a message that doesn't call the bot addresses, as far as the platform itself marks that."""

    begins_with_other: bool = False  # with a mention of somebody else
    names_other: bool = False  # somebody else is mentioned in it
    replies_to: RepliesTo = RepliesTo.NOBODY
    calls_all: bool = False  # everybody, everybody who is there, or a group of people
    is_first: bool = False  # it begins a thread


TO_NOBODY = Addressing()


@dataclass(frozen=True, slots=True)
class Situation:
    """A message where the bot follows, and what came before it."""

    text: str
    addressing: Addressing = TO_NOBODY
    is_edit: bool = False  # it was there before, and said something else
    has_files: bool = False
    is_gesture: bool = False  # a sticker, or a poll
    # What came before
    is_from_asker: bool = True  # did the one who asked last say it?
    bot_asked: bool = False  # did the bot's last answer end with something to be answered?
    others_since: bool = False  # has somebody else spoken since the bot did, or spoken to somebody else?
    people: int = 1  # who have spoken here, with the one who speaks
    is_staying_out: bool = False  # the bot was told to
    our_names: Collection[str] = ("bobbin",)
    their_names: Collection[str] = ()  # of the others


@dataclass(frozen=True, slots=True)
class Decision:
    conduct: Conduct
    reason: str


def decide(case: Situation) -> Decision:
    """Return what to do, and why."""
    for rule in (_by_marks, _by_our_name, _by_others, _by_talk):
        if decision := rule(case):
            return decision
    if case.people <= 1:
        return _answer("nobody else is here")
    if case.is_from_asker:
        return _answer("who asked last goes on, right after the answer")
    if _QUESTION.search(case.text):
        return _answer("a question right after the answer")
    return _quiet("somebody else than the asker speaks, and asks nothing")


def _by_marks(case: Situation) -> Decision | None:
    addressing = case.addressing
    if addressing.begins_with_other or (_AT_SOMEBODY.match(case.text) and not is_named(case.text, case.our_names)):
        return _quiet("it begins with a mention of somebody else")
    if addressing.replies_to is RepliesTo.OTHER:
        return _quiet("it replies to somebody else")
    if case.is_edit:
        return _quiet("an edit asks nothing anew")
    if addressing.calls_all or _ALL.search(case.text):
        return _quiet("it calls many people")
    return None


def _by_our_name(case: Situation) -> Decision | None:
    if is_named(case.text, case.our_names):
        rest = _without(case.text, case.our_names)
        if is_thanks(rest) and is_courtesy(rest):
            return _react("it thanks the bot by its name")
        return _answer("it is said to the bot by its name")
    if case.is_staying_out:
        return _quiet("the bot was told to stay out")
    return None


def _by_others(case: Situation) -> Decision | None:
    if _is_addressed(case.text, case.their_names):
        return _quiet("it is said to somebody else by their name")
    if case.addressing.names_other and not _QUESTION.search(case.text):
        return _quiet("it mentions somebody else")
    is_for_bot = case.addressing.replies_to is RepliesTo.BOT
    if case.people > 1 and not is_for_bot and _without(case.text, case.our_names) != case.text:
        return _quiet("it is about the bot, and for others")
    return None


def _by_talk(case: Situation) -> Decision | None:
    is_for_bot = case.addressing.replies_to is RepliesTo.BOT
    if case.others_since and not is_for_bot:
        return _quiet("people are talking with each other")
    if not case.bot_asked and is_nod(case):
        return _react("thanks") if is_thanks(case.text) else _quiet("a nod, and no more")
    if case.bot_asked and (case.is_from_asker or len(case.text.split()) <= _FEW_WORDS):
        return _answer("the bot had just asked")
    if is_for_bot:
        return _answer("it replies to the bot")
    is_bare = is_blank(case.text) or all(_LINK.fullmatch(word) for word in case.text.split())
    if is_bare and not case.is_from_asker:
        return _quiet("a file or a link alone is for all who are here")
    return None


def is_nod(case: Situation) -> bool:
    """Is it courtesy, and no more?"""
    words = _without(case.text, case.our_names)
    return case.is_gesture or (not case.has_files and (is_blank(words) or is_courtesy(words)))


def is_named(text: str, names: Collection[str]) -> bool:
    """Is *text* said to one of *names*, the bot's, as people write it who don't mention anybody?"""
    return _is_addressed(text, names) or any(_asks(name).match(text) for name in names if name)


def said_to(text: str, names: Collection[str]) -> str:
    """Return *text* without the one of *names* that it begins with."""
    for name in names:
        if name and (hit := re.match(rf"\s*@?{re.escape(name)}\b", text, re.IGNORECASE)):
            return after_name(text[hit.end() :])
    return text


def _is_addressed(text: str, names: Collection[str]) -> bool:
    return any(_address(name).search(text) for name in names if len(name) > 1)


def _without(text: str, names: Collection[str]) -> str:
    for name in filter(None, names):
        text = re.sub(rf"@?\b{re.escape(name)}\b", "", text, flags=re.IGNORECASE)
    return text


def _answer(reason: str) -> Decision:
    return Decision(Conduct.ANSWER, reason)


def _quiet(reason: str) -> Decision:
    return Decision(Conduct.QUIET, reason)


def _react(reason: str) -> Decision:
    return Decision(Conduct.REACT, reason)


_ALL = re.compile(r"(?<!\w)@(?:everyone|here|channel)\b")
_AT_SOMEBODY = re.compile(r"\s*@\w")
_LINK = re.compile(r"<?https?://[^\s<>]+>?")
_QUESTION = re.compile("[?？؟]")
_GREETING = "(?:hey|hi|hello|hallo|hola)"
_BEFORE_NAME = rf"^\s*(?:(?:{_GREETING}|ok|okay|so|and|please|thanks|thx|thank you|danke|merci|gracias)[\s,]+)?"


@lru_cache(maxsize=1_000)
def _address(name: str) -> re.Pattern[str]:
    """`Name, …`, `hey Name: …`, `thanks Name`, `…, Name?`."""
    here = rf"@?{re.escape(name)}"
    first = rf"{_BEFORE_NAME}{here}(?:\s*[,:;!?.…–—-]+(?=\s|$)|\s*[，、：；！？。]|\s*$)"
    last = rf"[,–—，、-]\s*{here}\s*[.!?…。！？]*\s*$"
    return re.compile(f"{first}|{last}", re.IGNORECASE)


@lru_cache(maxsize=100)
def _asks(name: str) -> re.Pattern[str]:
    """`Name what …?`, `hey Name …`, and `@Name …`, which is a mention that didn't become one."""
    escaped = re.escape(name)
    asks = rf"{_BEFORE_NAME}(?:@{escaped}\b|{escaped}\s+\S[^?]*[?？]\s*$)"
    return re.compile(rf"{asks}|^\s*{_GREETING}[\s,]+{escaped}\s", re.IGNORECASE)
