"""What a bench says: figures beside the baseline of the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    ours: str
    baseline: str
    figure: str  # the ratio or difference that counts
    reach: str
    is_reached: bool
