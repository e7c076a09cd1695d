"""Bobbin as a program: the command line, the wiring, and a folder for each platform."""

import sys
from pathlib import Path

# Before the first import of structlog, which takes rich for its tracebacks wherever that is installed, as typer has it:
# 2 MB and 50 modules of which nothing is seen here.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # Python's way to say that there is none

__version__ = "0.1.0"  # the one place; pyproject.toml reads it from here


def platforms_there() -> list[str]:
    """The platforms that this version knows: every folder here that has settings of its own."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/settings.py"))
