"""Keeps small secrets unreadable in the database."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_KEY = 32  # bytes: https://github.com/fernet/spec/blob/master/Spec.md#key-format


class SecretBox:
    """Seals and opens short texts. Without a key of the operator's, what it sealed is lost with the process."""

    def __init__(self, keys: list[str]) -> None:
        """*keys* are Fernet keys, newest first: the first seals, all open. Raises ValueError for a malformed one."""
        if not all(map(_is_key, keys)):
            raise ValueError("not a Fernet key")
        self.lasts = bool(keys)  # can others, and a later process, open what this one seals?
        self._keys = keys or [urlsafe_b64encode(secrets.token_bytes(_KEY)).decode()]

    @classmethod
    def of(cls, keys: str) -> SecretBox:
        """Take the keys as they are set, with commas between."""
        return cls([key.strip() for key in keys.split(",") if key.strip()])

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """Return the secret, or None when it was sealed with a key that is gone."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # as below

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def open_exactly(self, sealed: str) -> str | None:
        """Open what `close` made, its padding left out; None also for another spelling of it, which base64 allows."""
        try:
            padded = sealed + "=" * (-len(sealed) % 4)
            if urlsafe_b64encode(urlsafe_b64decode(padded)).decode().rstrip("=") != sealed:
                return None
        except ValueError:
            return None
        return self.open(padded)

    @cached_property
    def _fernet(self) -> MultiFernet:
        # Many a bot never has anything to seal, and does without these 7 MB.
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

        return MultiFernet([Fernet(key) for key in self._keys])


def _is_key(text: str) -> bool:
    try:
        return len(urlsafe_b64decode(text)) == _KEY
    except ValueError:
        return False
