"""What the pages say is so: each test that one names is there, and no feature of a platform is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bots import platforms

HOUSE = Path(__file__).parent.parent
PAGES = [path for path in sorted((HOUSE / "docs").glob("*.md")) if "::test_" in path.read_text()]
PLATFORMS = [name for name in platforms.names() if (HOUSE / "docs" / f"{name}.md").exists()]
FEATURES = 40  # that bots of this kind have, some of them
DECISIONS = HOUSE / "docs/decisions"
A_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(platform: str) -> list[list[str]]:
    """The cells of the table of all features: what it is, ours, and the tests that show it."""
    table = (HOUSE / "docs" / f"{platform}.md").read_text().partition("|---|---|---|\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    for path, name in A_TEST.findall(page.read_text()):
        assert re.search(rf"^(async )?def {name}\(", (HOUSE / path).read_text(), re.MULTILINE), f"{path}::{name}"


def test_there_are_pages_that_name_tests() -> None:
    assert {*PLATFORMS} <= {page.stem for page in PAGES} != set()


def test_platforms_are_told_of_by_the_same_features() -> None:
    """A row that begins with … tells more of the one above it, and may be one platform's alone."""
    told = [[row[0] for row in rows(platform) if not row[0].startswith("…")] for platform in PLATFORMS]
    assert told
    assert all(features == told[0] for features in told)
    assert len({*told[0]}) == len(told[0]) == FEATURES


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_there_is_shown_by_a_test(platform: str) -> None:
    for feature, ours, shown_by in rows(platform):
        assert ours, feature
        assert re.match(r"no\b", ours) or A_TEST.search(shown_by), feature
        assert not A_TEST.sub("", shown_by).strip(", "), f"{feature}: is named in another way, which nothing checks"


def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    listed = []
    for page in sorted(DECISIONS.glob("[0-9]*.md")):
        number, title = page.read_text().partition("\n")[0].removeprefix("# ").split(". ", 1)
        assert page.name.startswith(f"{int(number):04}-"), page.name
        listed.append(f"- [{page.name[:4]}]({page.name}) {title}")
    assert len({line[:8] for line in listed}) == len(listed)
    assert re.findall("^- .*", (DECISIONS / "README.md").read_text(), re.MULTILINE) == listed


@pytest.mark.parametrize("page", [*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md")], ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for link in re.findall(
        r"\]\(<?([^)#>]+)[^)]*\)", re.sub(r"^    .*|`[^`]*`", "", page.read_text(), flags=re.MULTILINE)
    ):
        assert "://" in link or (page.parent / link).exists(), link
