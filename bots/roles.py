"""Chooses which part of the work a process does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKER = "worker"  # beside the platforms, the part that answers


@dataclass(frozen=True, slots=True)
class Roles:
    """The part of the work that a process does."""

    listens: tuple[str, ...]  # the platforms whose questions it takes
    works: bool  # does it answer?

    @classmethod
    def of(cls, names: Sequence[str], only: Sequence[str], *, shares_its_work: bool) -> Roles:
        """Raises SetupError for what a single process can't leave to others."""
        if not only:
            return cls(tuple(names), works=True)
        if unknown := [part for part in only if part not in (*names, WORKER)]:
            raise SetupError(f"--only {unknown[0]}: no such part is set up; there are {', '.join((*names, WORKER))}.")
        works = WORKER in only or not shares_its_work
        listens = tuple(name for name in names if name in only)
        if not shares_its_work and not listens:
            raise SetupError(
                "--only worker: with the embedded engine one process does it all; use PostgreSQL to share it."
            )
        return cls(listens, works)
