"""Who asks in Discord: which roles they have, as events tell or as is looked up, and which bots are heard."""

from __future__ import annotations

from typing import Any

import pytest

from bots.discord.askers import listed_bot
from core.access import Rules
from core.admission import Admission
from core.errors import Unwelcome
from tests.bots.discord.conftest import House


class Author:
    def __init__(self, id_: int, *, bot: bool) -> None:
        self.id, self.bot = id_, bot


class Spoken:
    def __init__(self, author: Author, webhook: int | None = None, application: int | None = None) -> None:
        self.author, self.webhook_id, self.application_id = author, webhook, application


@pytest.mark.parametrize(
    ("message", "called"),
    [
        (Spoken(Author(1, bot=True)), "bot:1"),
        (Spoken(Author(2, bot=True)), ""),
        (Spoken(Author(1, bot=False)), ""),  # a person, whatever stands in the list
        (Spoken(Author(9, bot=True)), ""),  # the bot itself
        (Spoken(Author(5, bot=True), webhook=3), "bot:3"),
        (Spoken(Author(5, bot=False), webhook=3), "bot:3"),
        (Spoken(Author(5, bot=True), webhook=6, application=4), "bot:4"),
        (Spoken(Author(5, bot=True), webhook=6), ""),
    ],
)
def test_which_bots_are_heard(message: Any, called: str) -> None:
    assert listed_bot(message, {"1", "3", "4", "9"}, 9) == called


async def test_roles_are_looked_up_where_no_event_told_them(house: House) -> None:
    staff = house.discord.add_role("staff", "ada")
    rules = Rules(allow_roles=frozenset({str(staff.id)}))
    admission = Admission({"discord": rules}, {"discord": house.chat}, house.ledger)
    async with house.listening():
        turn = await house.asked()
        thread, ada, ben = turn.question.thread, turn.question.asker, str(house.discord.user("ben").id)
        await admission.admit(ada, thread)
        assert not house.calls("GET /guilds/{guild_id}/members/{user_id}"), "her message told"
        for _ in range(2):
            with pytest.raises(Unwelcome):
                await admission.admit(ben, thread)
        with pytest.raises(Unwelcome):
            await admission.admit("80351110224678912", thread)  # who has left
        assert house.calls("GET /guilds/{guild_id}/members/{user_id}") == 2


async def test_in_a_direct_conversation_the_roles_of_their_server_count(house: House) -> None:
    staff, muted = house.discord.add_role("staff", "ada"), house.discord.add_role("muted", "ben")
    async with house.listening():
        in_direct = await house.asked("why?", "ada", house.discord.open_dm("ada"))
        thread, ada, ben = in_direct.question.thread, in_direct.question.asker, str(house.discord.user("ben").id)

        def admission(**lists: Any) -> Admission:
            written: dict[str, Any] = {name: frozenset(ids) for name, ids in lists.items()}
            rules = Rules(**written)
            return Admission({"discord": rules}, {"discord": house.chat}, house.ledger)

        await admission(allow_roles=[str(staff.id)]).admit(ada, thread)
        await admission(deny_roles=[str(muted.id)]).admit(ada, thread)
        with pytest.raises(Unwelcome):
            await admission(deny_roles=[str(muted.id)]).admit(ben, thread)
        with pytest.raises(Unwelcome):  # a role of a server that nobody knows
            await admission(deny_roles=["80351110224678912"]).admit(ada, thread)
        await admission(allow_roles=["80351110224678912"], allow_people=[ada]).admit(ada, thread)


async def test_whom_discord_does_not_tell_of_is_not_let_in(house: House) -> None:
    admission = Admission(
        {"discord": Rules(deny_roles=frozenset({"80351110224678912"}))}, {"discord": house.chat}, house.ledger
    )
    async with house.listening():
        thread = (await house.asked()).question.thread
        house.discord.faults.next_calls("GET /guilds/{guild_id}/members/{user_id}", status=403, times=10)
        with pytest.raises(Unwelcome, match="can't find out right now"):
            await admission.admit(str(house.discord.user("ben").id), thread)
