"""What is written into `Turn.reply` is read again, by this version and by the next."""

from __future__ import annotations

import pytest

from bots.discord.note import Note, Post, Starter, Token
from core.turn import Reply

FULL = Note(
    channel=5,
    starter=Starter(channel=1, message=5, name="why?"),
    reply_to=4,
    is_command=True,
    token=Token(application=7, sealed="sealed", until=1.5),
    posts=(Post(8, is_aside=True), Post(0, by_token=True, has_button=True)),
)


@pytest.mark.parametrize("note", [Note(channel=5), FULL])
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    assert Note.read(note.write()) == note


def test_an_update_alone_changes_nothing_that_must_be_saved() -> None:
    """Saving costs a transaction; the ids of the messages are what a restart needs."""
    note = Note(channel=5, posts=(Post(8, "a"),))
    assert note.placed(0, Post(8, "b")).write() == note.write()
    assert note.placed(1, Post(9, "b")).write() != note.write()


def test_what_is_no_note_is_refused() -> None:
    with pytest.raises(ValueError, match="Note"):
        Note.read(Reply("{}"))


def test_posts_are_replaced_or_added_by_their_page() -> None:
    note = Note(channel=5, posts=(Post(8, "a"), Post(9, "b")))
    assert note.placed(0, Post(8, "c")).posts == (Post(8, "c"), Post(9, "b"))
    assert note.placed(2, Post(10, "c")).posts == (Post(8, "a"), Post(9, "b"), Post(10, "c"))
    assert note.cut(1).posts == (Post(8, "a"),)
