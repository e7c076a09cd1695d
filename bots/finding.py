"""One result of checking the setup: its state, and what to do about it."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TypeAlias

from core.errors import BobbinError

LIMIT = 20.0  # seconds that one check may take


class Verdict(Enum):
    """The state of a thing. The value is how it is marked."""

    WELL = "✓"
    ADVICE = "!"  # it works like this, and somebody should know
    WRONG = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing that was looked at; if it is wrong, with what to do about it."""

    sentence: str
    verdict: Verdict = Verdict.WELL
    topic: str = ""  # what stays the same when the sentence names a trace or a time; empty: all of it

    def is_as(self, other: Finding) -> bool:
        """Would it be the same thing said twice?"""
        return (self.topic or self.sentence, self.verdict) == (other.topic or other.sentence, other.verdict)


# Yields what it finds as it finds it. A BobbinError that it raises is a finding too: wrong, in its sentence.
Check: TypeAlias = Callable[[], AsyncGenerator[Finding, None]]


async def side_by_side(checks: Mapping[str, Check], tell: Callable[[str, Finding], None], limit: float = LIMIT) -> None:
    """Run all *checks* at once, none for longer than *limit* seconds; *tell* what each finds, by its name, as it comes."""
    async with asyncio.TaskGroup() as tasks:
        for part, check in checks.items():
            tasks.create_task(_run(check, partial(tell, part), limit))


async def _run(check: Check, tell: Callable[[Finding], None], limit: float) -> None:
    try:
        async with asyncio.timeout(limit), aclosing(check()) as findings:
            async for finding in findings:
                tell(finding)
    except TimeoutError:
        todo = f"no answer within {limit:g} seconds. Is the address right, and may this machine connect to it?"
        tell(Finding(todo, Verdict.WRONG))
    except BobbinError as error:
        tell(Finding(error.sentence, Verdict.WRONG))
    except Exception as error:  # noqa: BLE001  # what else may be wrong out there is no reason to say nothing of the rest
        frame = traceback.extract_tb(error.__traceback__)[-1]
        todo = (
            f"this check broke unexpectedly ({type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}). "
            "Please report that, with how this is set up."
        )
        tell(Finding(todo, Verdict.WRONG))
