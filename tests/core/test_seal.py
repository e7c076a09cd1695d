from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from core.seal import Seal

KEYS = [Fernet.generate_key().decode() for _ in range(2)]


def test_what_was_sealed_can_be_opened_and_not_be_read() -> None:
    seal = Seal(KEYS[:1])
    sealed = seal.close("the secret")
    assert "secret" not in sealed
    assert Seal(KEYS[:1]).open(sealed) == "the secret"


def test_a_new_key_opens_what_the_old_one_sealed() -> None:
    assert Seal([KEYS[1], KEYS[0]]).open(Seal([KEYS[0]]).close("x")) == "x"


def test_a_key_that_is_gone_opens_nothing() -> None:
    assert Seal([KEYS[1]]).open(Seal([KEYS[0]]).close("x")) is None


def test_without_a_key_it_lasts_as_long_as_the_process() -> None:
    seal = Seal([])
    assert not seal.lasts
    assert seal.open(seal.close("x")) == "x"
    assert Seal([]).open(seal.close("x")) is None


def test_a_malformed_key_is_refused() -> None:
    with pytest.raises(ValueError, match="Fernet"):
        Seal(["short"])
