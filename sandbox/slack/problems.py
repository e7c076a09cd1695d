"""Collects what Slack would complain about, in Slack's own form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.slack.weight import characters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.slack.nouns import JsonObject


@dataclass(slots=True)
class Problems:
    """Collects complaints, each with the place that it is about."""

    found: list[str] = field(default_factory=list)

    def add(self, complaint: str, place: str) -> None:
        self.found.append(f"{complaint} [json-pointer:{place}]")

    def need(self, thing: JsonObject, name: str, place: str) -> bool:
        if thing.get(name) in (None, "", [], {}):
            self.add(f"missing required field: {name}", place)
            return False
        return True

    def only(self, thing: JsonObject, names: Iterable[str], place: str) -> None:
        """Complain of what *thing* has besides its type and *names*."""
        for name in sorted(map(str, set(thing) - {"type", *names})):
            self.add(f"invalid additional property: {name}", place)

    def length(self, value: object, longest: int, place: str) -> None:
        if not isinstance(value, str):
            self.add("must provide a string", place)
        elif not value:
            self.add("must be more than 0 characters", place)
        elif characters(value) > longest:
            self.add(f"must be less than {longest + 1} characters", place)

    def count(self, values: object, most: int, place: str) -> list[JsonObject]:
        """The entries of a list of objects, as far as there are any to look at."""
        if not isinstance(values, list):
            self.add("must provide an array", place)
            return []
        if not values:
            self.add("no fewer than 1 items allowed", place)
        if len(values) > most:
            self.add(f"no more than {most} items allowed", place)
        for at, value in enumerate(values):
            if not isinstance(value, dict):
                self.add("must provide an object", f"{place}/{at}")
        return [value for value in values if isinstance(value, dict)]

    def text(self, holder: JsonObject, name: str, longest: int, place: str, *, plain: bool = False) -> None:
        """A required text object: https://docs.slack.dev/reference/block-kit/composition-objects/text-object"""
        if self.need(holder, name, place):
            self.text_object(holder[name], longest, f"{place}/{name}", plain=plain)

    def text_object(self, text: object, longest: int, place: str, *, plain: bool = False) -> None:
        if not isinstance(text, dict):
            self.add("must provide an object", place)
            return
        if text.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
            self.add(f"unsupported type: {text.get('type')}", f"{place}/type")
        if "text" not in text:
            self.add("missing required field: text", place)
        else:
            self.length(text["text"], longest, f"{place}/text")
