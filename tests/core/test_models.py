from __future__ import annotations

import pytest

from core.models import DOCUMENTED, KNOWN, LATER, Models, may_be_name
from sandbox.upstream.models import MODELS as EMULATED

MODELS = Models()


def test_every_model_of_the_apis_page_is_known_and_none_twice() -> None:
    assert len(DOCUMENTED) == 67
    assert len(set(KNOWN)) == len(KNOWN) == len(DOCUMENTED) + len(LATER)
    assert set(KNOWN) == EMULATED
    assert all(may_be_name(name) for name in KNOWN)


@pytest.mark.parametrize("name", ["gpt-5.1", "GPT-5.1", " o3 "])
def test_a_known_model_is_spelt_as_the_service_spells_it(name: str) -> None:
    assert MODELS.known(name) == name.strip().lower()


def test_a_model_of_the_deployment_is_known_as_it_is_spelt_there_and_comes_first() -> None:
    models = Models(["Our-Model", "o3"])
    assert models.names[:2] == ("Our-Model", "o3")
    assert models.known("our-model") == "Our-Model"
    assert models.matching("o", 2) == ["Our-Model", "o3"]
    assert len(models.names) == len(KNOWN) + 1


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("o3", ["o3", "o3-2025-04-16"]),
        ("GPT5.1", ["gpt-5.1", "gpt-5.1-all"]),
        ("gpt4o", ["gpt-4o", "gpt-4o-mini"]),
        ("flash", ["gemini-3.8-flash", "deepseek-v4.1-flash"]),
        ("search preview", ["gpt-4o-search-preview", "gpt-4o-search-preview-2025-03-11"]),
        ("", list(KNOWN[:2])),
    ],
)
def test_the_best_matches_come_first(typed: str, first: list[str]) -> None:
    assert MODELS.matching(typed, 25)[:2] == first


@pytest.mark.parametrize("typed", ["zzz", "…", "x" * 6_000, "-"])
def test_what_nothing_fits_has_no_matches(typed: str) -> None:
    assert MODELS.matching(typed, 25) == []


def test_no_more_matches_than_wanted() -> None:
    assert len(MODELS.matching("gpt", 25)) == 25


@pytest.mark.parametrize(
    ("name", "near"),
    [("gpt-51", "gpt-5.1"), ("gtp-4o", "gpt-4o"), ("grok", "grok-4.7"), ("deepseek-r3", "deepseek-r1")],
)
def test_who_mistypes_is_told_what_is_near(name: str, near: str) -> None:
    assert near in MODELS.nearest(name)


def test_who_knows_none_is_named_one_of_each_family_first() -> None:
    assert Models(["ours-1", "gpt-5.1"]).some(8) == [
        "ours-1",
        "gpt-5.1",
        "gemini-3.8-flash",
        "deepseek-v4.1-flash",
        "grok-4.7",
        "glm-5.3",
        "o4-mini",
        "gpt-6.1-sol",
    ]


def test_near_to_nothing_is_nothing() -> None:
    assert MODELS.nearest("railways") == []
    assert len(MODELS.nearest("gpt")) == 5


@pytest.mark.parametrize("word", ["gpt-7", "claude-opus-5", "grok", "o9", "vendor/model", "llama:8b"])
def test_names_are_told_from_words(word: str) -> None:
    assert may_be_name(word)


@pytest.mark.parametrize("word", ["railways", "citizen", "5", "-", "trains?", "поезд", "什么"])
def test_words_are_no_names(word: str) -> None:
    assert not may_be_name(word)
