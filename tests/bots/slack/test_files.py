"""Files in Slack, as the adapter fetches them: with the token, from Slack alone, and for their own workspace."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from bots.slack.files import attachment_of
from core.attachment import Attachment, Kind
from core.errors import (
    FileBusy,
    FileElsewhere,
    FileError,
    FileForbidden,
    FileGone,
)
from core.thread import PlaceId
from sandbox.replies import Reply
from sandbox.slack import SharedFile
from sandbox.slack.faults import Failure

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

NOTES = SharedFile("notes.txt", b"the pump stands still")


async def shared(house: House, **more: Any) -> Attachment:
    """A file in #general, as a message tells of it."""
    file = SharedFile(NOTES.name, NOTES.content, **more)
    message = await house.slack.say("ada", "general", "look", files=[file])
    told = house.slack._platform.shown(message)["files"][0]
    attachment = attachment_of(told)
    assert attachment
    return attachment


def own(house: House) -> PlaceId:
    return PlaceId(f"slack:{house.slack.team_id}")


async def opened(house: House, attachment: Attachment, workspace: PlaceId | None = None) -> bytes:
    async with house.chat.open_file(attachment, workspace or own(house)) as found:
        return b"".join([chunk async for chunk in found.chunks])


@pytest.mark.parametrize("is_to_be_looked_up", [False, True])
async def test_a_file_is_fetched_also_by_a_process_that_does_not_listen(
    house: House, *, is_to_be_looked_up: bool
) -> None:
    attachment = await shared(house, is_to_be_looked_up=is_to_be_looked_up)
    assert await opened(house, attachment) == NOTES.content
    assert house.calls("files.info") == is_to_be_looked_up


async def test_what_is_looked_up_is_told_anew(house: House) -> None:
    attachment = await shared(house, is_to_be_looked_up=True)
    assert (attachment.name, attachment.kind) == ("", Kind.FILE)
    async with house.chat.open_file(attachment, own(house)) as found:
        assert (found.attachment.name, found.attachment.kind) == ("notes.txt", Kind.TEXT)
        assert "/files-pri/" in found.attachment.ref


async def test_another_workspaces_file_is_not_looked_for(house: House) -> None:
    attachment = await shared(house)
    with pytest.raises(FileGone):
        await opened(house, attachment, PlaceId("slack:T0OTHER"))


FAILURES = {
    "file_not_found": FileGone,
    "file_deleted": FileGone,
    "missing_scope": FileForbidden,
    "access_denied": FileForbidden,
    "internal_error": FileBusy,
    "ratelimited": FileBusy,
    "invalid_auth": FileBusy,  # the doctor says so, and the next try may have another token
}


@pytest.mark.parametrize("code", FAILURES)
async def test_what_can_not_be_looked_up_says_why(house: House, code: str) -> None:
    attachment = await shared(house, is_to_be_looked_up=True)
    house.slack.faults.fail("files.info", Failure(error=code))
    with pytest.raises(FAILURES[code]):
        await opened(house, attachment)


LOOKED_UP: tuple[tuple[dict[str, object], type[FileError]], ...] = (
    ({"mode": "tombstone"}, FileGone),
    ({"is_external": True}, FileElsewhere),
    ({"url_private": None, "url_private_download": None}, FileGone),
    ({"url_private": 7, "url_private_download": 7}, FileGone),
    ({"url_private_download": "https://169.254.169.254/latest/meta-data/"}, FileElsewhere),
    ({"url_private_download": "http://files.slack.com/a.txt"}, FileElsewhere),
    ({"url_private_download": "https://drive.example/a.txt"}, FileElsewhere),
    ({"url_private_download": "https://["}, FileGone),
)


@pytest.mark.parametrize("is_to_be_looked_up", [False, True])
@pytest.mark.parametrize(("more", "error"), LOOKED_UP[2:])
async def test_an_odd_address_leads_nowhere(
    house: House, more: dict[str, object], error: type[FileError], *, is_to_be_looked_up: bool
) -> None:
    attachment = await shared(house, more=more, is_to_be_looked_up=is_to_be_looked_up)
    with pytest.raises(error):
        await opened(house, attachment)


@pytest.mark.parametrize(("more", "error"), LOOKED_UP[:2])
async def test_what_turns_out_to_be_none_of_slacks_is_not_fetched(
    house: House, more: dict[str, object], error: type[FileError]
) -> None:
    attachment = await shared(house, more=more, is_to_be_looked_up=True)
    with pytest.raises(error):
        await opened(house, attachment)


@pytest.mark.parametrize("body", ["[]", "null", '{"ok": true}', '{"ok": true, "file": "x"}', "<html>"])
async def test_odd_answers_are_survived(house: House, body: str) -> None:
    attachment = await shared(house, is_to_be_looked_up=True)
    house.slack.faults.odd("files.info", Reply(body=body, content_type="application/json"), None)
    with pytest.raises(FileError):
        await opened(house, attachment)


async def test_slack_being_away_is_no_end(house: House) -> None:
    attachment = await shared(house)
    house.slack.faults.odd("auth.test", Reply(503), None)
    async with AsyncExitStack() as stack:
        with pytest.raises(FileBusy):
            await stack.enter_async_context(house.chat.open_file(attachment, own(house)))
