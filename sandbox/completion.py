"""Completes what is typed in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.line import FAULTS, Deed, Line
from sandbox.scenes import Scene

DEEDS = [f":{deed}" for deed in Deed if deed not in (Deed.SAY, Deed.MEANWHILE)]


def completions(typed: str, scenes: Mapping[str, Scene], last: Line | None) -> list[tuple[str, str]]:
    """What could be written next, each with the end of *typed* that it would replace."""
    head, colon, text = typed.partition(": ")
    words = head.split(" ")
    if words[0] in scenes and not colon:
        return _fitting(words[-1], _address(words, scenes))
    platform = words[0] if words[0] in scenes and colon else last.platform if last else ""
    scene = scenes.get(platform)
    if words[0] not in scenes:
        text = typed
    if scene is None:
        return _fitting(typed, [*(f"{name} " for name in scenes), *DEEDS])
    person = words[1] if words[0] in scenes and len(words) > 1 else last.person if last else ""
    found = _of_text(text.lstrip(), scene, person)
    return found if platform in words or text != typed else [*_fitting(typed, [f"{name} " for name in scenes]), *found]


def _address(words: list[str], scenes: Mapping[str, Scene]) -> Iterable[str]:
    scene = scenes[words[0]]
    if len(words) == 2:
        return [f"{name} " for name in scene.people]
    return [f"{place}: " for place in (*scene.channels, "dm", "thread")] if len(words) == 3 else []


def _of_text(text: str, scene: Scene, person: str) -> list[tuple[str, str]]:
    deed, space, rest = text.partition(" ")
    if deed in DEEDS and space:
        after: dict[str, Iterable[str]] = {
            ":as": scene.people,
            ":fault": [*FAULTS, *(f"{name} off" for name in FAULTS)],
            ":click": scene.labels(),
            ":menu": scene.entries,
            ":fill": [f"{one.label} = " for one in scene.fields(person)] if person in scene.people else (),
        }
        return _fitting(rest, after.get(deed, ()))
    if text.startswith(":"):
        return _fitting(text, [f"{one} " for one in DEEDS])
    if text.startswith("/"):
        return _fitting(text, [f"{one} " for one in scene.commands])
    word = text.rsplit(" ", 1)[-1]
    return _fitting(word, [f"@{name} " for name in ("bobbin", *scene.people)]) if word.startswith("@") else []


def _fitting(begun: str, words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, begun) for word in dict.fromkeys(words) if word.startswith(begun)]
