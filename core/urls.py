"""Finds the secrets in a URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of PostgreSQL, for instance: password, sslpassword, oauth_client_secret, scram_client_key
# (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
_SECRET = re.compile(r"pass|secret|token|key", re.IGNORECASE)


def secrets_in(url: str) -> Iterator[str]:
    """Every text in *url* that may be a password, as it stands there and decoded.

    Where a password holds an @ or a / that should have been written otherwise, those that read it disagree on where it
    ends: each reading of it counts.
    """
    rest = url.partition("://")[2]
    for at in (found.start() for found in re.finditer("@", rest)):
        yield from _spellings(rest[:at].partition(":")[2])
    for one in re.split("[?&;#]", rest)[1:]:
        name, _, value = one.partition("=")
        if _SECRET.search(name):
            yield from _spellings(value)


def _spellings(text: str) -> Iterator[str]:
    if text:
        yield text
        yield unquote(text)
        yield unquote(text.replace("+", " "))
