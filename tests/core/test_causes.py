"""Why a database can't be used, as operators read it; tests/doctor has what real databases say."""

from __future__ import annotations

import pytest

from core.errors import StorageUnavailable
from core.storage.causes import cause

SQLITE, POSTGRESQL = "sqlite:////data/bobbin.db", "postgresql://bobbin:hush-hush@db/bobbin"


@pytest.mark.parametrize(
    ("url", "because", "said"),
    [
        (POSTGRESQL, TimeoutError(), "db, port 5432, does not answer (TimeoutError). Check host"),
        (POSTGRESQL, OSError("FATAL:  the database system is starting up"), "lets nobody in just now"),
        (POSTGRESQL, OSError("cannot execute LISTEN during recovery"), "Name the primary in BOBBIN_DATABASE__URL"),
        (POSTGRESQL, OSError("could not extend file: No space left on device"), "no room left on its disk"),
        (
            SQLITE,
            OSError("the database's file was deleted or replaced"),
            "/data/bobbin.db was deleted or replaced. Put",
        ),
    ],
)
def test_the_cause_is_named_and_not_what_askers_are_told(url: str, because: Exception, said: str) -> None:
    error = StorageUnavailable()
    error.__cause__ = because
    sentence = cause(error, url)
    assert said in sentence
    assert "Please try again" not in sentence
    assert "hush" not in sentence
