"""Finds whom a Slack message names by id, and tells their names instead. Pure: no network, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.names import CHANNEL, GROUP, SOMEONE, among_words

MOST_NAMED = 50  # people, and as many channels and groups, of one message; the others get no name
_MOST_LOOKED_AT = 5_000  # parts of one message
# https://docs.slack.dev/messaging/formatting-message-text#mentioning-users, and channels and groups below it.
_MENTION = re.compile(r"<(?P<kind>[@#]|!subteam\^)(?P<id>[A-Z0-9]{2,40})(?:\|(?P<label>[^<>\n]*))?>")
# https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#element-types
_ELEMENTS = {"user": ("@", "user_id"), "channel": ("#", "channel_id"), "usergroup": ("!subteam^", "usergroup_id")}
_BESIDE_WORDS = ("text", "blocks", "attachments")
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Mentioned:
    """Those whom a message names: by id, with the name that Slack wrote beside it, if it did."""

    people: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, id_: str, label: str) -> None:
        of_kind = {"@": self.people, "#": self.channels}.get(kind, self.groups)
        if id_ in of_kind or len(of_kind) < MOST_NAMED:
            of_kind[id_] = of_kind.get(id_) or label


@dataclass(frozen=True, slots=True)
class Names:
    """What is told of those whom a message names; they are tame."""

    people: Mapping[str, str] = field(default_factory=dict)  # by id, as far as they are known and may be told
    words: Mapping[str, str] = field(
        default_factory=dict
    )  # by id, what stands for each person, channel and group among words
    tells: bool = True  # may people's names be told?
    language: str = ""  # of who said it; empty where that isn't known

    def author(self, id_: object, otherwise: object = "") -> object:
        """Return the name of who said something, or the one that Slack wrote beside it."""
        if not self.tells:
            return ""
        return (self.people.get(id_) if isinstance(id_, str) else "") or otherwise


NAMELESS = Names()


def mentioned_in(message: Mapping[str, Any]) -> Mentioned:
    """Say whom *message* names: who said it, and all who are mentioned in it and in what it brings along."""
    found = Mentioned()
    if isinstance(user := message.get("user"), str):
        found.add("@", user, "")
    parts: list[object] = [message.get(name) for name in _BESIDE_WORDS]
    for _ in range(_MOST_LOOKED_AT):
        if not parts:
            break
        part = parts.pop()
        if isinstance(part, str):
            for hit in _MENTION.finditer(part):
                found.add(hit["kind"], hit["id"], hit["label"] or "")
        elif isinstance(part, dict):
            _add_element(part, found)
            parts += part.values()
        elif isinstance(part, list):
            parts += part
    return found


def names(
    mentioned: Mentioned,
    *,
    people: Mapping[str, str] = _NONE,
    channels: Mapping[str, str] = _NONE,
    groups: Mapping[str, str] = _NONE,
    tells: bool = True,
    language: str = "",
) -> Names:
    """Say what is told of those who are *mentioned*, of whom those names are known. Not *tells*: of nobody a name.

    *language*: of who says it.
    """
    known = {id_: name for id_, name in people.items() if name and tells}
    kinds = (
        (mentioned.people, known, SOMEONE),
        (mentioned.channels, channels, CHANNEL),
        (mentioned.groups, groups, GROUP),
    )
    words = {
        id_: among_words(of_kind.get(id_) or (label if tells or otherwise != SOMEONE else ""), otherwise)
        for labels, of_kind, otherwise in kinds
        for id_, label in labels.items()
    }
    return Names(known, words, tells, language)


def _add_element(element: Mapping[str, Any], found: Mentioned) -> None:
    for kind, name in filter(None, [_ELEMENTS.get(str(element.get("type")))]):
        if isinstance(id_ := element.get(name), str):
            found.add(kind, id_, "")
