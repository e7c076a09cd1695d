"""Brings the catalogues up to date with what the bot says: `python -m tests.languages`.

New sentences are added without a translation, those that are gone go, and what lacks one is told; then the status is 1.
"""

# ruff: noqa: T201  (it prints what is left to do)

from __future__ import annotations

import re
import sys
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from core.language import CATALOGUES, DOMAIN, ENGLISH, LANGUAGES
from tests.languages.sentences import sentences

WIDTH = 100
# What would change with every run, or says nothing.
_IDLE = re.compile(
    r'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|'
    r"Generated-By): .*\n|^#.*Translations template.*\n",
    re.MULTILINE,
)


def template() -> Catalog:
    made = Catalog(fuzzy=False, charset="utf-8")
    for (context, one), places in sentences().items():
        several = next((place.several for place in places if place.several), "")
        made.add(
            (one, several) if several else one,
            locations=[(place, 0) for place in dict.fromkeys(place.place for place in places)],
            flags=["python-brace-format"] if "{" in one + several else [],
            context=context or None,
        )
    return made


def updated(language: str, wanted: Catalog) -> list[str]:
    """Write the catalogue of *language* anew, and return what it doesn't say."""
    path = CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as file:
        catalog = read_po(file, locale=language)
    catalog.update(wanted, no_fuzzy_matching=True)
    catalog.header_comment = f"# What Bobbin says, in {language}. `make catalogues` keeps it; CONTRIBUTING.md says how."
    written = BytesIO()
    write_po(written, catalog, width=WIDTH, ignore_obsolete=True, include_lineno=False)
    path.write_text(_IDLE.sub("", written.getvalue().decode()), encoding="utf-8")
    return [str(one.id) for one in catalog if one.id and not all(_forms(one.string))]


def _forms(said: object) -> tuple[object, ...]:
    return tuple(said) if isinstance(said, list | tuple) else (said,)


def main() -> int:
    wanted, lacking = template(), 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        holes = updated(language, wanted)
        lacking += len(holes)
        for one in holes:
            print(f"{language}: {one}")
    print(f"{len(wanted)} sentences in {len(LANGUAGES) - 1} languages; {lacking} translations are missing")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
