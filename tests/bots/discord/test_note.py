"""What was written into `Turn.reply` is read again, by this version and by the next."""

from __future__ import annotations

import pytest

from bots.discord.note import Starter, Token, Where, notes
from bots.reply.note import Message, Note
from core.turn import Reply

FULL = Note(
    Where(
        channel=5,
        starter=Starter(channel=1, message=5, name="why?"),
        reply_to=4,
        is_command=True,
        token=Token(application=7, sealed="sealed", until=1.5),
    ),
    (Message("8", is_aside=True), Message("@original", has_footer=True)),
)


@pytest.mark.parametrize("note", [Note(Where(channel=5)), FULL])
def test_a_note_is_read_as_it_was_written(note: Note[Where]) -> None:
    assert notes().read(note.write()) == note


STORED = (
    '{"channel":5,"starter":{"channel":1,"message":5,"name":"why?"},"reply_to":4,"is_command":true,'
    '"token":{"application":7,"sealed":"sealed","until":1.5},'
    '"posts":[{"id":8,"is_aside":true},{"id":0,"by_token":true,"has_button":true}]}'
)
BY_TOKEN = '{"channel":5,"is_command":true,"posts":[{"id":7,"by_token":true},{"id":8}]}'


@pytest.mark.parametrize(
    ("stored", "note"),
    [
        ('{"channel":5}', Note(Where(5))),
        (STORED, FULL),
        (BY_TOKEN, Note(Where(5, is_command=True), (Message("@7"), Message("8")))),
    ],
)
def test_a_note_that_an_earlier_version_stored_is_read(stored: str, note: Note[Where]) -> None:
    assert notes().read(Reply(stored)) == note


@pytest.mark.parametrize(
    "stored",
    ["{}", "[]", "5", "", '{"where":{}}', '{"channel":5,"posts":[{}]}', '{"channel":5,"posts":[5]}', '{"where":5}'],
)
def test_what_is_no_note_is_refused(stored: str) -> None:
    with pytest.raises(ValueError, match=r"Note|JSON|column"):
        notes().read(Reply(stored))
