"""Who may ask: the whole rule, as a table."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from core.access import DIRECT, Asker, Form, Rules, Why, bot_asker, id_of, is_bot

ADA = Asker(
    frozenset({"U1"}), channels=frozenset({"C1"}), workspace="T1", roles=frozenset({"R1", "R2"}), is_guest=False
)
DIRECTLY = replace(ADA, channels=frozenset({"D1"}), is_direct=True, roles=None)
NOWHERE = replace(DIRECTLY, workspace="")
GUEST = replace(ADA, is_guest=True)
STRANGER = replace(ADA, is_external=True)
UNTOLD = replace(ADA, roles=None, is_guest=None, is_external=None)
LAMP = Asker(frozenset({"B1"}), channels=frozenset({"C1"}), workspace="T1", is_bot=True)


def rules(**written: Any) -> Rules:
    read: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in written.items()
    }
    return Rules(**read)


@pytest.mark.parametrize(
    ("asker", "written", "why"),
    [
        # Nothing is set.
        (ADA, {}, None),
        (DIRECTLY, {}, None),
        (GUEST, {}, None),
        (STRANGER, {}, "external"),
        (LAMP, {}, "bot"),
        # People.
        (ADA, {"allow_people": ["U1", "U2"]}, None),
        (ADA, {"allow_people": ["U2"]}, "person"),
        (ADA, {"deny_people": ["U2"]}, None),
        (ADA, {"deny_people": ["U1"]}, "person"),
        (ADA, {"allow_people": ["U1"], "deny_people": ["U1"]}, "person"),
        # Roles: one of the two lists is enough.
        (ADA, {"allow_roles": ["R1"]}, None),
        (ADA, {"allow_roles": ["R3"]}, "role"),
        (ADA, {"allow_roles": ["R3"], "allow_people": ["U1"]}, None),
        (ADA, {"allow_roles": ["R1"], "allow_people": ["U2"]}, None),
        (ADA, {"allow_roles": ["R3"], "allow_people": ["U2"]}, "role"),
        (ADA, {"deny_roles": ["R2"]}, "role"),
        (ADA, {"deny_roles": ["R3"]}, None),
        (ADA, {"allow_roles": ["R1"], "deny_roles": ["R2"]}, "role"),
        (ADA, {"allow_people": ["U1"], "deny_roles": ["R2"]}, "role"),
        # … which nobody tells.
        (UNTOLD, {"external": True, "deny_roles": ["R3"]}, "role"),
        (UNTOLD, {"external": True, "allow_roles": ["R1"]}, "role"),
        (UNTOLD, {"external": True, "allow_roles": ["R1"], "allow_people": ["U1"]}, None),
        # Places: each list of its own must let somebody in.
        (ADA, {"allow_channels": ["C1"]}, None),
        (ADA, {"allow_channels": ["C2"]}, "channel"),
        (ADA, {"deny_channels": ["C1"]}, "channel"),
        (ADA, {"allow_channels": ["C1"], "deny_channels": ["C1"]}, "channel"),
        (replace(ADA, channels=frozenset({"C1", "C9"})), {"deny_channels": ["C9"]}, "channel"),
        (ADA, {"allow_workspaces": ["T1"]}, None),
        (ADA, {"allow_workspaces": ["T2"]}, "workspace"),
        (ADA, {"deny_workspaces": ["T1"]}, "workspace"),
        (ADA, {"allow_workspaces": ["T1"], "allow_channels": ["C2"]}, "channel"),
        (ADA, {"allow_workspaces": ["T2"], "allow_channels": ["C1"]}, "workspace"),
        (ADA, {"allow_people": ["U1"], "deny_channels": ["C1"]}, "channel"),
        # Direct conversations.
        (DIRECTLY, {"allow_channels": ["C1"]}, "channel"),
        (DIRECTLY, {"allow_channels": ["C1", DIRECT]}, None),
        (DIRECTLY, {"deny_channels": [DIRECT]}, "channel"),
        (ADA, {"allow_channels": [DIRECT]}, "channel"),
        (DIRECTLY, {"allow_workspaces": ["T1"]}, None),
        (NOWHERE, {"allow_workspaces": ["T1"]}, "workspace"),
        (NOWHERE, {"allow_workspaces": ["T1", DIRECT]}, None),
        (NOWHERE, {"deny_workspaces": [DIRECT]}, "workspace"),
        (NOWHERE, {"deny_workspaces": ["T1"]}, None),
        # Guests, and people of other organisations.
        (GUEST, {"guests": False}, "guest"),
        (GUEST, {"guests": False, "allow_people": ["U1"]}, "guest"),
        (ADA, {"guests": False}, None),
        (STRANGER, {"external": True}, None),
        (STRANGER, {"external": True, "deny_people": ["U1"]}, "person"),
        (STRANGER, {"allow_people": ["U1"]}, "external"),
        (UNTOLD, {}, "external"),
        (UNTOLD, {"external": True}, None),
        (UNTOLD, {"external": True, "guests": False}, "guest"),
        # Bots.
        (LAMP, {"bots": ["B1"]}, None),
        (LAMP, {"bots": ["B2"]}, "bot"),
        (replace(LAMP, ids=frozenset({"B1", "A1"})), {"bots": ["A1"]}, None),
        (LAMP, {"bots": ["B1"], "deny_channels": ["C1"]}, "channel"),
        (LAMP, {"bots": ["B1"], "allow_people": ["U1"], "guests": False}, None),
        (ADA, {"bots": ["U1"], "allow_people": ["U2"]}, "person"),
    ],
)
def test_who_may_ask(asker: Asker, written: dict[str, Any], why: Why | None) -> None:
    assert rules(**written).refuses(asker) == why


def test_ids_of_another_platform_say_nothing_about_this_one() -> None:
    letters: dict[Any, Form] = {"people": Form(re.compile("U[0-9]"), ""), "channels": Form(re.compile("C[0-9]"), "")}
    both = rules(
        allow_people=["123"], deny_people=["U1"], allow_channels=["456", DIRECT], allow_roles=["789"], guests=False
    )
    of = both.of(letters)
    assert not of.allow_people | of.allow_roles
    assert of.deny_people == {"U1"}
    assert of.allow_channels == {DIRECT}, "that is one everywhere"
    assert not of.guests
    assert both.of({}) == both, "who doesn't say how ids look may mean any"


def test_a_bots_name_is_nobodys() -> None:
    assert is_bot(bot_asker("B1"))
    assert not is_bot("B1")
    assert (id_of(bot_asker("B1")), id_of("U1")) == ("B1", "U1")
