"""The names of the AI service's models: those that are known, those that somebody may mean, and those that are near."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# The 67 of https://docs.acedata.cloud/en/guides/aichat/aichat_conversations, in November 2025; most wanted families first.
_DOCUMENTED = """
gpt-5.1 gpt-5.1-all gpt-5 gpt-5-mini gpt-5-nano gpt-5-all
gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14 gpt-4.1-nano gpt-4.1-nano-2025-04-14
gpt-4o gpt-4o-mini gpt-4o-all gpt-4o-image gpt-4o-2024-05-13 gpt-4o-2024-08-06 gpt-4o-2024-11-20
gpt-4o-mini-2024-07-18 gpt-4o-search-preview gpt-4o-search-preview-2025-03-11
gpt-4o-mini-search-preview gpt-4o-mini-search-preview-2025-03-11
gpt-4.5-preview gpt-4.5-preview-2025-02-27
gpt-4 gpt-4-all gpt-4-turbo gpt-4-turbo-preview gpt-4-vision-preview
o4-mini o4-mini-2025-04-16 o4-mini-all o4-mini-high-all
o3 o3-2025-04-16 o3-all o3-pro o3-pro-2025-06-10
o3-mini o3-mini-2025-01-31 o3-mini-2025-01-31-high o3-mini-2025-01-31-low o3-mini-2025-01-31-medium o3-mini-all
o3-mini-high o3-mini-high-all o3-mini-low o3-mini-medium
o1 o1-2024-12-17 o1-all o1-pro o1-pro-2025-03-19 o1-pro-all o1-mini o1-mini-2024-09-12 o1-mini-all
o1-preview o1-preview-2024-09-12 o1-preview-all
deepseek-r1 deepseek-r1-0528 deepseek-v3 deepseek-v3-250324
grok-3
"""
# What the service's clients aichat-pro-cli 2026.10.25 and mcp-aichat 2026.10.25.1 list for the
# same API since, and gemini-3.8-flash of the service's newest guide. None of those above was taken off.
_LATER = """
gpt-6.1-sol gpt-6-sol gpt-6-luna gpt-6-astra
gpt-5.6-sol gpt-5.6-sol-fast gpt-5.6-luna gpt-5.6-terra gpt-5.5 gpt-5.5-pro
gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.4-pro gpt-5.2
gemini-3.8-flash
deepseek-v4.1-flash deepseek-v4-flash deepseek-v4-pro
grok-4.7 grok-4.5
glm-5.3 glm-5.2 glm-5.1 glm-5 glm-5-turbo glm-4.7 glm-4.6 glm-3-turbo
"""
DOCUMENTED, LATER = tuple(_DOCUMENTED.split()), tuple(_LATER.split())
KNOWN = (*LATER, *DOCUMENTED)
_NEAR = 0.5  # of 1, which is the same
_LONGEST_COMPARED = 100  # characters
_FAMILY = re.compile(r"[a-z]+")
_NAMELIKE = re.compile(r"[a-z][\w.:/-]*[\d:/-][\w.:/-]*", re.IGNORECASE | re.ASCII)


class Models:
    """The models that can be suggested. The service has others: its own lists lag behind what it serves."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        """*more* than the known ones, and before them: those of the deployment."""
        self.names = tuple(dict.fromkeys((*more, *KNOWN)))
        self._spelled = {name.lower(): name for name in reversed(self.names)}
        self._bare = [(name, _bare(name)) for name in self.names]

    def known(self, name: str) -> str | None:
        """Return *name* as the service spells it; None if it isn't known."""
        return name if name in self.names else self._spelled.get(name.strip().lower())

    def some(self, at_most: int) -> list[str]:
        """Return a few names for who knows none: of each family those that come first."""
        in_family = Counter[str]()
        ranked = []
        for name in self.names:
            family = _FAMILY.match(name.lower())
            ranked.append((in_family[family[0] if family else ""], name))
            in_family[family[0] if family else ""] += 1
        ranked.sort(key=lambda one: one[0])
        return [name for _, name in ranked[:at_most]]

    def matching(self, typed: str, at_most: int) -> list[str]:
        """Return the names that *typed* may be becoming, the likeliest first; all kinds if nothing is typed yet."""
        typed, bare = typed.strip().lower(), _bare(typed)
        ranked = [
            (rank, name) for name, known in self._bare if (rank := _rank(name.lower(), known, typed, bare)) is not None
        ]
        ranked.sort(key=lambda one: one[0])  # those that fit equally well stay in their order
        return [name for _, name in ranked[:at_most]]

    def nearest(self, name: str, at_most: int = 5) -> list[str]:
        """Return what somebody may have meant who wrote *name*, the likeliest first; perhaps nothing."""
        name = name[:_LONGEST_COMPARED]
        found = [*self.matching(name, at_most), *get_close_matches(name.lower(), self.names, at_most, _NEAR)]
        return list(dict.fromkeys(found))[:at_most]


def may_be_name(word: str) -> bool:
    """Does *word*, which stands where a model's name may, look like one rather than like a word of a language?"""
    return bool(_NAMELIKE.fullmatch(word)) or any(name.startswith(word.lower()) for name in KNOWN)


def _rank(name: str, known: str, typed: str, bare: str) -> int | None:
    """Return how well *typed* fits, less for better; None if not at all."""
    if name.startswith(typed):
        return 0 if name == typed else 1
    if not bare:
        return None
    if known.startswith(bare):
        return 2
    return 3 if bare in known else None


def _bare(name: str) -> str:
    """Without what people leave out: gpt4o is gpt-4o."""
    return re.sub(r"[\W_]+", "", name[:_LONGEST_COMPARED].lower())
