"""Says how much of a page a text will take once a platform's renderer has been over it, at most."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bots.text.blocks import rendered
from bots.text.tables import begins

_DRAWN = 16  # characters that a rule, a heading's mark or the frame of a table may take beyond what was typed

# Marks of lists and quotes, and then that of a heading or of code, or nothing but what rules and tables are drawn with.
_MAY_BEGIN = re.compile(r"[\s>+*\d.)-]*(?:#|```|~~~|[-_*=:|\s]+\Z)|.*(?: {4}|\t)")


@dataclass(frozen=True, slots=True)
class Budget:
    limit: int  # of a page, in what `length` counts
    length: Callable[[str], int] = len
    gains: str = ""  # characters beside which the renderer may put another one
    gain: int = 0  # what that other one counts
    table: int = 0  # characters of the widest table laid out in columns; 0 leaves tables as they were typed
    block: int = 0  # what each block that the platform makes of the text counts beside its characters
    most_blocks: int = 0  # that the platform makes of a page; 0 if it makes none

    def weigh(self, text: str) -> int:
        return self.length(text) + self.gain * sum(map(text.count, self.gains))

    def costs(self, lines: Sequence[str], room: int) -> tuple[list[int], str]:
        """What is taken up to each line, until it is more than *room*; and the header of the table there.

        A line's cost depends only on it and on those before, and grows with it: so what overflows will still do so
        when more text has come.
        """
        if not self.most_blocks:
            return self._costs(lines, room, [0] * len(lines))
        # Parsing takes longer than all the rest. If there is room for as many as there can be, it isn't needed.
        guessed = self._costs(lines, room, at_most(lines))
        return guessed if guessed[0][-1] <= room else self._costs(lines, room, rendered(lines))

    def _costs(self, lines: Sequence[str], room: int, begun: Sequence[int]) -> tuple[list[int], str]:
        costs: list[int] = []
        total = blocks = 0
        header = previous = ""
        for line, begins_here in zip(lines, begun, strict=True):
            if header and "|" not in line:
                header = ""
            if not header and begins(previous, line):
                header = previous
                total += self._row(header, "") + _DRAWN
            total += 1 + (self._row(line, header) if header else self._line(line))
            blocks += begins_here
            cost = total + blocks * self.block
            if self.most_blocks:  # as if all room were theirs
                cost = max(cost, -(-room * blocks // self.most_blocks))
            costs.append(cost)
            previous = line
            if cost > room:
                break
        return costs, header

    def holds(self, page: str) -> bool:
        """Whether *page*, as it is rendered, keeps the limit."""
        return replace(self, gains="", table=0).costs(page.split("\n"), self.limit)[0][-1] <= self.limit

    def around_row(self, header: str) -> int:
        """What a row of the table may take beyond its own text."""
        return self.table + self._repeated(header) if self.table and header else 0

    def _line(self, line: str) -> int:
        start = line.lstrip(" \t>")[:1]
        is_drawn = self.table and start and start in "-_*=#"
        return max(self.weigh(line), _DRAWN) if is_drawn else self.weigh(line)

    def _row(self, line: str, header: str) -> int:
        """In columns it takes their width, beside what its characters count beyond one column; else it is a record."""
        if not self.table:
            return self.weigh(line)
        in_columns = self.table + 2 + self.weigh(line) - sum(map(str.isascii, line))
        return max(in_columns, self._repeated(header) + self.weigh(line))

    def _repeated(self, header: str) -> int:
        return self.weigh(header) + 8 * (header.count("|") + 2)


def at_most(lines: Sequence[str]) -> list[int]:
    """As `rendered`, but no less at any line, and sooner known: a block, and the run of text that may follow it."""
    found = [2 if _MAY_BEGIN.match(line) and line.strip() else 0 for line in lines]
    found[0] += 1  # the run of text that a page may begin with
    return found
