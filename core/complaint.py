"""Says what is wrong with a setting, in words for the person who wrote it."""

from __future__ import annotations

from difflib import get_close_matches
from os.path import commonprefix
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
LONGEST_INPUT = 40  # characters of a wrong value that are repeated


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question to append to a complaint about *name*; empty if nothing *known* is like it."""
    known = list(known)
    alike = len(commonprefix([name, *known]))  # noqa: RUF071  # what all of them begin with makes none of them more like another
    near = get_close_matches(name[alike:], [one[alike:] for one in known], n=1, cutoff=0.6)
    return f"; did you mean {name[:alike]}{near[0]}?" if near else ""


def is_quoted(value: str) -> bool:
    """Does *value* stand in quotation marks? `docker run --env-file` and systemd's EnvironmentFile differ in that."""
    stripped = value.strip()
    return len(stripped) >= 2 and QUOTES.get(stripped[0]) == stripped[-1]


def about_type(error: Mapping[str, Any], *, is_secret: bool) -> str:
    """Say what pydantic found wrong with a value: https://docs.pydantic.dev/latest/errors/validation_errors.

    A secret is not repeated.
    """
    kind, said, context = error["type"], str(error["msg"]), error.get("ctx", {})
    value = str(error.get("input", ""))[:LONGEST_INPUT]
    instead = "" if is_secret else f', not "{value}"'
    match kind:
        case "int_parsing" | "int_type" | "int_from_float":
            return f"must be a whole number{instead}"
        case "float_parsing" | "float_type":
            return f"must be a number{instead}"
        case "bool_parsing" | "bool_type":
            return f"must be true or false{instead}"
        case "literal_error":
            return f"must be {str(context.get('expected', '')).replace(chr(39), '')}{instead}"
        case "string_pattern_mismatch":
            scheme = "wss://" if "wss" in str(context.get("pattern")) else "https://"
            return f"must begin with {scheme}{instead}"
    return said.removeprefix("Value error, ").replace("Input should be", "must be").replace("String should", "must")
