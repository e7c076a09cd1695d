from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from core.secret_box import SecretBox

KEYS = [Fernet.generate_key().decode() for _ in range(2)]


def test_what_was_sealed_can_be_opened_and_not_be_read() -> None:
    secret_box = SecretBox(KEYS[:1])
    sealed = secret_box.close("the secret")
    assert "secret" not in sealed
    assert SecretBox(KEYS[:1]).open(sealed) == "the secret"


def test_a_new_key_opens_what_the_old_one_sealed() -> None:
    assert SecretBox([KEYS[1], KEYS[0]]).open(SecretBox([KEYS[0]]).close("x")) == "x"


def test_a_key_that_is_gone_opens_nothing() -> None:
    assert SecretBox([KEYS[1]]).open(SecretBox([KEYS[0]]).close("x")) is None


def test_without_a_key_it_lasts_as_long_as_the_process() -> None:
    secret_box = SecretBox([])
    assert not secret_box.lasts
    assert secret_box.open(secret_box.close("x")) == "x"
    assert SecretBox([]).open(secret_box.close("x")) is None


@pytest.mark.parametrize(
    "key",
    ["short", "c2hvcnQ=", "ключ", KEYS[0][:-1], KEYS[0][4:]],
    ids=["no base64", "short", "no ASCII", "cut", "cut at the front"],
)
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="Fernet"):
        SecretBox([KEYS[0], key])
