"""A form that the bot has opened to somebody, as one fills it in by lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import SetupError

NO_FORM = "No form is open to {person} on {platform}."
Values = tuple[str, ...]  # what is written, or chosen


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    label: str
    name: str  # the platform's
    before: Values  # what it has when the form opens
    choices: Mapping[str, str] | None = None  # what can be chosen, by what people read; None: one writes
    takes_many: bool = False

    def written(self, values: Values) -> str:
        """The line that fills it in so. Raises KeyError if there are no words for that."""
        if self.choices is None:
            return f"{self.label} = {''.join(values)}"
        words = {value: label for label, value in self.choices.items()}
        return f"{self.label} = " + "\n".join(words[value] for value in values)

    def read(self, text: str) -> Values:
        """What *text* fills it in with: each line a choice, if there are any. Raises SetupError."""
        if self.choices is None:
            return (text,) if text else ()
        known = {_plain(label): value for label, value in self.choices.items()}
        wanted = [_plain(line) for line in text.split("\n") if line.strip()]
        if len(wanted) > 1 and not self.takes_many:
            raise SetupError(f"“{self.label}” takes one choice.")
        if wrong := [one for one in wanted if one not in known]:
            there = ", ".join(self.choices) or "nothing"
            raise SetupError(f"“{self.label}” has no choice “{wrong[0][:80]}”. There is: {there}.")
        return tuple(known[one] for one in wanted)

    @property
    def shown(self) -> str:
        values = [label for label, value in (self.choices or {}).items() if value in self.before]
        set_to = ", ".join(values) if self.choices is not None else "".join(self.before)
        offered = f"({' | '.join(self.choices)})" if self.choices else ""
        return " ".join(one for one in (f"{self.label} =", set_to, offered) if one)


@dataclass(slots=True)
class Filled:
    """What people have filled in and not sent yet, each in the form that is open to them."""

    _given: dict[str, tuple[str, dict[str, Values]]] = field(default_factory=dict)

    def fill(self, person: str, form: str, fields: Sequence[Field], text: str) -> None:
        """*text* is `LABEL = WORDS`. Raises SetupError."""
        labels = {_plain(one.label): one for one in fields}
        for sign in re.finditer("=", text):
            if found := labels.get(_plain(text[: sign.start()])):
                self.of(person, form)[found.name] = found.read(text[sign.end() :].strip(" "))
                return
        there = ", ".join(one.label for one in fields) or "nothing"
        wanted = text.partition("=")[0].strip()[:80]
        raise SetupError(f"The form has nothing to fill in called “{wanted}”. There is: {there}.")

    def of(self, person: str, form: str) -> dict[str, Values]:
        """By the platform's names; empty for a form that was opened since."""
        if self._given.get(person, ("",))[0] != form:
            self._given[person] = (form, {})
        return self._given[person][1]


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()
