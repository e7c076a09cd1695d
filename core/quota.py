"""How much may be open at once, so that nobody's questions keep everybody else's waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import TooMany

if TYPE_CHECKING:
    from typing import Literal

    Whose = Literal["person", "thread", "workspace"]


@dataclass(frozen=True, slots=True)
class Open:
    """How many turns are not done yet: still to be answered, or to be shown."""

    person: int  # of one person in one workspace
    thread: int
    workspace: int
    told: int = 0  # of the person's, those that Bobbin answers by itself, with a hint
    before: int = 0  # of the thread's, those that are still to be answered


@dataclass(frozen=True, slots=True)
class Quota:
    """How many turns may be open at once. What is asked beyond is refused, not queued."""

    person: int
    thread: int
    workspace: int

    def exceeded(self, opened: Open) -> Whose | None:
        """Return what has no room for one more beside what is *opened*; None if there is room."""
        if opened.person >= self.person:
            return "person"
        if opened.thread >= self.thread:
            return "thread"
        return "workspace" if opened.workspace >= self.workspace else None

    def refusal(self, whose: Whose) -> TooMany:
        """Return what to tell."""
        return {
            "person": TooMany(
                f"You have {_questions(self.person)} open with me, and I take no more at once. "
                "Please ask this one again when one of them is answered."
            ),
            "thread": TooMany(
                f"{_questions(self.thread).capitalize()} are open in this thread, and I take no more at once. "
                "Please ask this one again when one of them is answered."
            ),
            "workspace": TooMany(
                "I have more questions to answer here than I can keep up with. "
                "Please ask this one again in a few minutes."
            ),
        }[whose]


def _questions(count: int) -> str:
    return "a question" if count == 1 else f"{count:,} questions"
