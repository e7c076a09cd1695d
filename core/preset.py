"""Presets: how to answer in a place. Each field is set there or inherited from the place around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple

DEFAULT = "default"  # the deployment's own preset
LONGEST_NAME = 64  # characters of a preset's name; this and the next as long as the tables have room for
LONGEST_MODEL = 200  # characters of a model's name


class Follow(StrEnum):
    """How much is heard without a mention, as far as it isn't plainly for somebody else."""

    MENTION = "mention"  # nothing
    THREAD = "thread"  # what is said in the threads into which the bot was called
    CHANNEL = "channel"  # whatever is said in the channel


@dataclass(frozen=True, slots=True)
class Preset:
    """A way to answer. A field that is None is left open: the wider place decides."""

    model: str | None = None
    instructions: str | None = None  # sent with every question: nobody documents that a conversation keeps them
    fallbacks: tuple[str, ...] | None = None  # models to ask in this order when the model does not answer
    name: str | None = None  # the named preset that the other fields start from
    follow: Follow | None = None

    def over(self, wider: Preset) -> Preset:
        """Return this preset with its open fields filled from *wider*."""
        filled = {
            field.name: mine if (mine := getattr(self, field.name)) is not None else getattr(wider, field.name)
            for field in fields(self)
        }
        return Preset(**filled)

    @property
    def is_open(self) -> bool:
        """Does it decide nothing?"""
        return self == OPEN


OPEN = Preset()


class Origin(NamedTuple):
    """A field's value, and the place that it comes from."""

    value: str
    place: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The preset that answers somewhere, every field decided, and where each comes from."""

    model: str
    instructions: str
    fallbacks: tuple[str, ...]
    origins: dict[str, Origin]
    follow: Follow = Follow.THREAD

    @property
    def models(self) -> tuple[str, ...]:
        """The models to ask, in this order, until one answers."""
        return tuple(dict.fromkeys((self.model, *self.fallbacks)))


def choose(named: dict[str, Preset], layers: Sequence[tuple[str, Preset]]) -> Choice:
    """Decide every field for a place.

    *named* are the deployment's presets, `default` among them with a model; *layers* are (place, what is
    set there), widest first. A layer that names a preset takes that preset's fields, under its own.
    """
    origins: dict[str, Origin] = {}
    fallbacks: tuple[str, ...] = ()
    for place, preset in _spread(named, layers):
        for name in ("name", "model", "instructions", "follow"):
            value = getattr(preset, name)
            if value is not None:
                origins[name] = Origin(value, place)
        if preset.fallbacks is not None:
            fallbacks = preset.fallbacks
            origins["fallbacks"] = Origin(", ".join(fallbacks), place)
    empty = Origin("", DEFAULT)
    follow = origins.setdefault("follow", Origin(Follow.THREAD, DEFAULT))
    return Choice(
        model=origins.get("model", empty).value,
        instructions=origins.get("instructions", empty).value,
        fallbacks=fallbacks,
        origins=origins,
        follow=Follow(follow.value),
    )


def _spread(named: dict[str, Preset], layers: Sequence[tuple[str, Preset]]) -> Iterable[tuple[str, Preset]]:
    yield DEFAULT, Preset(name=DEFAULT).over(named[DEFAULT])
    for place, preset in layers:
        # A name that the operator has since removed from the settings decides nothing.
        yield place, preset.over(named.get(preset.name or "", Preset()))
