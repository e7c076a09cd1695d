"""Files in Slack: read from its payloads, and fetched with the bot's token, which goes nowhere else.

https://docs.slack.dev/messaging/working-with-files
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bots.fetch import fetched, is_among, origin_of
from core.attachment import Attachment, Kind, file
from core.errors import (
    ChatBusy,
    ChatClosed,
    ChatError,
    ChatForbidden,
    FileBusy,
    FileElsewhere,
    FileForbidden,
    FileGone,
)
from core.genuine import HTML

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bots.slack.api import Api
    from core.chat import Opened

# A file's address has the host of its workspace where it isn't this one; and the government's Slack has its own.
HOSTS = ("files.slack.com", ".slack.com", ".slack-gov.com")
SCOPE = "files:read"
_TOMBSTONE = "tombstone"  # in a file's `mode`: it was deleted
_DOCUMENT = "application/vnd.slack-"  # a canvas or a list, of which only Slack's own page can be fetched
_GONE = ("file_not_found", "file_deleted")  # https://docs.slack.dev/reference/methods/files.info#errors
_ID = re.compile(r"[A-Z0-9]{2,40}")
_LONGEST_URL = 2_000  # characters


def attachment_of(told: Mapping[str, Any]) -> Attachment | None:
    """Read a file as Slack tells of it; None if it was deleted. https://docs.slack.dev/reference/objects/file-object

    It can come without its name, size and type, and even its address, as one that is another organisation's, or that
    the workspace's plan hides. What was only linked from elsewhere is none of Slack's.
    """
    if told.get("mode") == _TOMBSTONE:
        return None
    name, media_type = told.get("name") or told.get("title"), told.get("mimetype")
    if told.get("is_external") is True or told.get("mode") == "external":
        return Attachment(Kind.EXTERNAL, file(name, None, None).name)
    if isinstance(media_type, str) and media_type.startswith(_DOCUMENT):
        return Attachment(Kind.OTHER, file(name, None, None).name)
    url = next((one for one in (told.get("url_private_download"), told.get("url_private")) if one), "")
    url = url if isinstance(url, str) and len(url) <= _LONGEST_URL and " " not in url else ""
    id_ = told.get("id")
    id_ = id_ if isinstance(id_, str) and _ID.fullmatch(id_) else ""
    return file(name, media_type, told.get("size"), ref=f"{id_} {url}".rstrip())


@asynccontextmanager
async def opened(attachment: Attachment, api: Api) -> AsyncIterator[Opened]:
    """Fetch a file. Raises a FileError."""
    id_, _, url = attachment.ref.partition(" ")
    if not url:
        attachment, url = await _looked_up(id_, api)
    own = origin_of(api.url)
    headers = {"Authorization": f"Bearer {api.token}"}
    async with fetched(attachment, url, allows=lambda at: is_among(at, HOSTS, own), headers=headers) as found:
        # Without the scope Slack answers with its login page, and 200.
        if found.media_type == HTML and not _is_page(attachment, found):
            raise FileForbidden(code=f"a page instead of the file; is {SCOPE} granted?")
        yield found


async def _looked_up(id_: str, api: Api) -> tuple[Attachment, str]:
    """Ask what a file is of which the message told only the id, as in Slack Connect. Raises a FileError."""
    try:
        told = attachment_of(await api.file(id_))
    except ChatForbidden as error:
        raise FileForbidden(code=f"{error.code}; is {SCOPE} granted?") from None
    except ChatError as error:
        may_pass = isinstance(error, ChatBusy | ChatClosed) and error.code not in _GONE
        raise (FileBusy if may_pass else FileGone)(code=error.code) from None
    if told is None or not told.ref:
        raise (FileGone if told is None else FileElsewhere)(code=id_)
    url = told.ref.partition(" ")[2]
    if not url:
        raise FileGone(code="no address")
    return told, url


def _is_page(attachment: Attachment, found: Opened) -> bool:
    """Is the page that comes what somebody sent? It has that name then, and not another length."""
    is_named_so = attachment.media_type == HTML or attachment.suffix in ("html", "htm")
    return is_named_so and (None in (found.size, attachment.size) or found.size == attachment.size)
