"""Translates a database's own errors into ours."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import CannotBeKept, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOO_MUCH = "54"  # the class of what is beyond a limit of PostgreSQL's, such as of an index
_READ_ONLY = "25006"  # a standby that will be the primary again, or one that was


def is_damaged(error: BaseException | None) -> bool:
    """Is what stands in the database's file no database, or not a whole one? SQLite only; no time mends it."""
    return type(error) is DatabaseError and bool(re.search(r"not a database|malformed", str(error.orig)))


def _refused(error: Exception) -> CannotBeKept:
    """Say what the database, or its driver, refuses by names of its own: its sentences may quote the value."""
    cause = getattr(error, "orig", None) or error
    about = getattr(cause, "diag", None)  # PostgreSQL's: https://www.psycopg.org/psycopg3/docs/api/errors.html
    names = [getattr(about, name, None) for name in ("table_name", "column_name", "constraint_name")]
    return CannotBeKept(" ".join([type(cause).__name__, *(name for name in names if name)]))


@contextmanager
def translated() -> Iterator[None]:
    """Raise what a chat and a worker can go by: StorageUnavailable, or CannotBeKept."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        if "no such" in str(getattr(error, "orig", "")):
            raise  # SQLite calls it operational when a table or column is missing; waiting would not help
        if state(error).startswith(_TOO_MUCH):
            raise _refused(error) from None
        raise StorageUnavailable from error
    except (DataError, IntegrityError) as error:
        raise _refused(error) from None  # whose traceback may quote the row
    except DBAPIError as error:
        if error.connection_invalidated or is_damaged(error) or state(error) == _READ_ONLY:
            raise StorageUnavailable from error
        raise
    except (StatementError, OverflowError, UnicodeError) as error:  # a value that the driver can't even send
        raise _refused(error) from None


def state(error: Exception) -> str:
    """Return PostgreSQL's code for *error*.

    https://www.postgresql.org/docs/current/errcodes-appendix.html; empty where there is none.
    """
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
