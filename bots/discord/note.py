"""What the adapter keeps of an answer between two calls of `show`, and over restarts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from core.turn import Reply


@dataclass(frozen=True, slots=True)
class Starter:
    """The message that a thread is still to be made from."""

    channel: int
    message: int
    name: str  # of the thread


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the response to a slash command."""

    application: int
    sealed: str
    until: float  # seconds since 1970; later, the channel is the way


@dataclass(frozen=True, slots=True)
class Post:
    """A message of ours with a page of the answer."""

    id: int  # 0 is the response to the command, as long as nothing was written into it
    digest: str = ""  # of what it shows; empty when that isn't known. Not written down
    by_token: bool = False  # it is the command's, and edited with its token
    is_aside: bool = False  # it says only how it goes, nothing of the answer
    has_button: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Kept as `Turn.reply`. Page n of the answer stands in post n."""

    channel: (
        int  # where the answer goes; a thread has the id of its starter, so this is known before the thread is there
    )
    starter: Starter | None = None  # None once the thread is there
    reply_to: int | None = None  # the message in the same channel that is answered
    is_command: bool = False  # people see who used a command, not the question: the answer quotes it
    token: Token | None = None
    posts: tuple[Post, ...] = ()
    # Are `posts` all that stand there? Not known of a page that was tried last, with what text. Neither is written down.
    is_complete: bool = False
    tried: str = ""

    @classmethod
    def read(cls, reply: Reply) -> Note:
        """Raises ValueError for what isn't a note of ours."""
        return _NOTES.validate_json(reply)

    def write(self) -> Reply:
        # Without what changes with every update: a note that stays the same need not be saved again.
        posts = tuple(replace(post, digest="") for post in self.posts)
        lasting = replace(self, posts=posts, is_complete=False, tried="")
        return Reply(_NOTES.dump_json(lasting, exclude_defaults=True).decode())

    @property
    def is_aside(self) -> bool:
        """Does the thread show a word on how it goes, and nothing of the answer?"""
        return len(self.posts) == 1 and self.posts[0].is_aside

    @property
    def has_words(self) -> bool:
        """Was anything of the answer written?"""
        return any(post.id and not post.is_aside for post in self.posts)

    @property
    def has_button(self) -> bool:
        return any(post.has_button for post in self.posts)

    def placed(self, number: int, post: Post) -> Note:
        return replace(self, posts=(*self.posts[:number], post, *self.posts[number + 1 :]))

    def cut(self, pages: int) -> Note:
        """Only the first *pages* posts are left."""
        return replace(self, posts=self.posts[:pages])


_NOTES = TypeAdapter(Note)
