"""Says why a database can't be used, and what to do about it, in words for whoever runs Bobbin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "BOBBIN_DATABASE__URL"

# What libpq and the server say. Of a connection that does not come about psycopg gives no code, only these words:
# https://www.psycopg.org/psycopg3/docs/api/errors.html. `{}` is for the part of the URL that is named.
_POSTGRESQL = (
    (
        r"password authentication failed",
        (
            "PostgreSQL refuses user “{user}” with this password. Correct the password, or the user, in {url}; "
            "special characters are written there as %XX."
        ),
    ),
    (r"no password supplied", "PostgreSQL wants a password for user “{user}”. Write it into {url} as USER:PASSWORD@…"),
    (r"role \S+ does not exist", "PostgreSQL has no user “{user}”. Create it, or correct the user in {url}."),
    (
        r"database \S+ does not exist",
        "PostgreSQL has no database “{database}”. Create it (createdb {database}), or correct the name in {url}.",
    ),
    (
        r"certificate|does not support SSL|SSL was required|sslmode|SSL error|sslrootcert",
        (
            "The connection to PostgreSQL fails over TLS ({said}). Check sslmode and sslrootcert in {url}, and whether the "
            "server offers TLS."
        ),
    ),
    (
        r"no pg_hba.conf entry",
        (
            "PostgreSQL does not let user “{user}” in from this machine, or not without TLS ({said}). Allow it in the "
            "server's pg_hba.conf, or add ?sslmode=require to {url}."
        ),
    ),
    (
        r"failed to resolve|could not translate host|Name or service not known|nodename nor servname",
        "The host “{host}” isn't known. Correct the host in {url}, or this machine's DNS.",
    ),
    (
        r"Connection refused",
        "Nothing listens at {host}, port {port}. Start PostgreSQL, or correct host and port in {url}.",
    ),
    (
        r"No such file or directory",
        "Nothing listens at the socket in {host} (port {port}). Start PostgreSQL, or correct host and port in {url}.",
    ),
    (
        r"timeout|timed out|No route to host|unreachable",
        "{host}, port {port}, does not answer ({said}). Check host and port in {url}, and any firewall in between.",
    ),
    (
        r"invalid (URI|connection|integer|port|percent)",
        "{url} has an option that PostgreSQL doesn't know ({said}). Correct what follows the database's name.",
    ),
    (
        r"too many (clients|connections)|remaining connection slots",
        "PostgreSQL has no connection left ({said}). End other clients of it, or raise max_connections.",
    ),
    (
        r"invalid response to SSL negotiation|expected authentication request|server closed the connection",
        "What listens at {host}, port {port}, is not PostgreSQL, or is just starting ({said}). Check host and port in {url}.",
    ),
    (
        r"read-only transaction|during recovery",
        (
            "PostgreSQL at {host}, port {port}, takes no changes ({said}): it is a standby, or the database was set to be "
            "read-only. Name the primary in {url}, or let the database be written to."
        ),
    ),
    (
        r"No space left|disk full",
        "PostgreSQL at {host}, port {port}, has no room left on its disk ({said}). Make room there.",
    ),
    (
        r"is (starting up|shutting down|in recovery)|not (yet|currently) accepting|recovery state",
        "PostgreSQL at {host}, port {port}, lets nobody in just now ({said}). Wait until it does, or look in its log.",
    ),
    (
        r"permission denied",
        "User “{user}” lacks a right in the database ({said}). Grant it, or use the database's owner.",
    ),
)
_SQLITE = (
    (
        r"not a database|malformed",
        "{database} is not a SQLite database, or it is damaged. Restore a backup, or name another file in {url}.",
    ),
    (r"deleted or replaced", "{database} was deleted or replaced. Put it back, or restart Bobbin."),
    (
        r"disk is full|disk I/O|No space left",
        "{database} can't be written to ({said}). Make room on its disk, or check that disk.",
    ),
    (
        r"unable to open",
        "{database} can't be opened. Check that its folder is there and may be written to, or name another file in {url}.",
    ),
    (r"locked|busy", "{database} is locked by another program. End whatever works on that file."),
    (r"readonly|read-only", "{database} may not be written to. Let Bobbin's user write to it and to its folder."),
)


def cause(error: BaseException, url: str) -> str:
    """Return a sentence on why the database of *url* can't be used, with what to do. It holds no password."""
    where = make_url(url)
    is_sqlite = where.get_backend_name() == "sqlite"
    said = _said(error)
    parts = {
        "url": URL,
        "said": said,
        "user": where.username or "(none)",
        "database": where.database or where.username or "(none)",
        "host": where.host or _only(where.query.get("host")) or "this machine",
        "port": where.port or _only(where.query.get("port")) or 5432,
    }
    for pattern, sentence in _SQLITE if is_sqlite else _POSTGRESQL:
        if re.search(pattern, said, re.IGNORECASE):
            return sentence.format(**parts)
    fallback = "The database can't be used ({said}). Is it running, and is {url} right?"
    return fallback.format(**parts)


def _said(error: BaseException) -> str:
    """The first line of the innermost words, without the address and the parts that SQLAlchemy adds."""
    # What StorageUnavailable says is for people who ask.
    chain = [one for one in _chain(error) if not isinstance(one, StorageUnavailable)] or [error]
    words = [type(chain[-1]).__name__, *(str(getattr(one, "orig", None) or one) for one in chain)]
    first = next(line for line in reversed(words) if line.strip()).strip().split("\n")[0]
    return re.sub(r"^(connection (failed|is bad)|.*? failed): (FATAL: +)?", "", first)[:200].strip()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """*error*, then what it was raised from, as long as that says something."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _only(value: str | tuple[str, ...] | None) -> str | None:
    return value if value is None or isinstance(value, str) else ",".join(value)
