"""What the contracts are tested with, beside what every test may use."""

from __future__ import annotations

import discord
import pytest

from tests.conftest import POSTGRES


@pytest.fixture(params=POSTGRES)
def postgres_url(request: pytest.FixtureRequest) -> str:
    """What is promised of PostgreSQL is promised of its oldest version and its newest."""
    return str(request.getfixturevalue(f"{request.param}_postgres"))


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter sets these for its process; the next test finds them as they were."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    gateway = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", gateway.DEFAULT_GATEWAY)
