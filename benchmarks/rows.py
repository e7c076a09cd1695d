"""What a bench says: figures beside the baseline of the same run, and what they are to reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    ours: str
    baseline: str
    figure: str  # the ratio or difference that counts
    reach: str
    is_reached: bool


@dataclass(frozen=True, slots=True)
class Aim:
    """What one row is to reach; known before anything is measured."""

    what: str
    shape: str  # of its figure, such as "{:.2f} ×"
    most: float | None = None
    least: float | None = None
    is_told: bool = False  # in README as well

    @property
    def reach(self) -> str:
        bounds = [("≤", self.most), ("≥", self.least)]
        return ", ".join(f"{sign} {self.shape.format(bound)}" for sign, bound in bounds if bound is not None)

    def row(self, figure: float, ours: str, baseline: str = "") -> Row:
        is_reached = (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)
        return Row(self.what, ours, baseline, self.shape.format(figure), self.reach, is_reached)


def aims_of(bench: ModuleType) -> list[Aim]:
    """Those that stand in a module, in their order, also those in a dictionary."""
    return list(_aims(vars(bench).values()))


def _aims(values: Iterable[object]) -> Iterable[Aim]:
    for value in values:
        if isinstance(value, Aim):
            yield value
        elif isinstance(value, dict):
            yield from _aims([one for one in value.values() if isinstance(one, (Aim, dict))])
