"""What the pages say is so: each test that one names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PAGES = [path for path in sorted((HOUSE / "docs").glob("*.md")) if "::test_" in path.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page.read_text()):
        assert re.search(rf"^(async )?def {name}\(", (HOUSE / path).read_text(), re.MULTILINE), f"{path}::{name}"


def test_there_are_pages_that_name_tests() -> None:
    assert "discord" in [page.stem for page in PAGES]
