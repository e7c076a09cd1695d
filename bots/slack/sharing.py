"""Shares a workspace's rate limits among processes: each writes into one row what it has used and holds.

Pure; the row is another's business. A process that is gone leaves nothing behind: what it has written is over by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bots.slack.window import GENTLE_FOR, SPAN, Grant, Use, comes_back

if TYPE_CHECKING:
    from collections.abc import Mapping

TELLS_EVERY = 5.0  # seconds between two looks of a process that has answers
# What a process holds it may have used until others would have heard of it again; then it counts as any call.
HOLDS_FOR = SPAN + 2 * TELLS_EVERY  # seconds

Row = dict[str, Any]  # by process


def shared(
    row: Row, me: str, now: float, uses: Mapping[str, tuple[int, Use]], answers: int
) -> tuple[Row, dict[str, Grant]]:
    """Return the row as it is from now on, and what *me* is granted.

    *now* in seconds of a clock that is the same for all processes; *uses* with the limit, by method; *answers* that
    *me* has.
    """
    others = {name: entry for name, entry in row.items() if name != me and now - entry["at"] < HOLDS_FOR}
    processes = sum(entry["answers"] > 0 for entry in others.values()) + 1
    grants: dict[str, Grant] = {}
    mine: Row = {"at": now, "answers": answers, "uses": {}}
    for method, (limit, use) in uses.items():
        told = [entry["uses"][method] for entry in others.values() if method in entry["uses"]]
        taken = sum(one["has"] + sum(at > now - SPAN for at in one["calls"]) for one in told)
        left = max(0, limit - taken - len(use.ages) - use.has)
        # No more than half of what is left, so that who comes next finds some.
        more = min(use.wants, (left + 1) // 2)
        held = max([use.held, *(one["held"] - now for one in told if one["held"] is not None)])
        theirs = sum(
            one["spare"] + sum(now - at < SPAN and comes_back(at, now, use.horizon) for at in one["calls"])
            for one in told
        )
        growing = sum(one.get("growing", 0) for one in told)  # an earlier version doesn't tell
        grants[method] = Grant(
            more, left - more, left - more + theirs, any(one["lacks"] for one in told), held, growing, processes
        )
        mine["uses"][method] = {
            "calls": [round(now - age, 1) for age in use.ages],
            "has": use.has + more,
            "spare": use.spare + more,
            "lacks": use.lacks and more < use.wants,
            "growing": use.growing,
            "held": round(now + held, 1) if held > -GENTLE_FOR else None,
        }
    return {**others, me: mine}, grants
