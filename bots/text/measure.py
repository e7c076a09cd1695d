"""Says how much of a page a text will take once a platform's renderer has been over it, at most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bots.text.tables import begins

_DRAWN = 16  # characters that a rule, a heading's mark or the frame of a table may take beyond what was typed


@dataclass(frozen=True, slots=True)
class Measure:
    limit: int  # of a page, in what `length` counts
    length: Callable[[str], int] = len
    gains: str = ""  # characters beside which the renderer may put another one
    gain: int = 0  # what that other one counts
    table: int = 0  # characters of the widest table laid out in columns; 0 leaves tables as they were typed

    def weigh(self, text: str) -> int:
        return self.length(text) + self.gain * sum(map(text.count, self.gains))

    def costs(self, lines: Sequence[str], room: int) -> tuple[list[int], str]:
        """What is taken up to each line, until it is more than *room*; and the header of the table there.

        A line's cost depends only on it and on those before, and grows with it: so what overflows will still do so
        when more text has come.
        """
        costs: list[int] = []
        total = 0
        header = previous = ""
        for line in lines:
            if header and "|" not in line:
                header = ""
            if not header and begins(previous, line):
                header = previous
                total += self._row(header, "") + _DRAWN
            total += 1 + (self._row(line, header) if header else self._line(line))
            costs.append(total)
            previous = line
            if total > room:
                break
        return costs, header

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
