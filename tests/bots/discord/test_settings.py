"""What an operator sets for Discord is checked before anything connects."""

from __future__ import annotations

import base64
import secrets

import pytest
from pydantic import ValidationError

from bots.discord import manifest
from bots.discord.settings import Section
from bots.discord.setup import PERMISSIONS


def test_without_a_token_it_is_not_configured() -> None:
    section = Section()
    assert not section.is_configured
    assert section.problems() == []


@pytest.mark.parametrize("token", ["Bot abc", "ab c", "abc\n"])
def test_a_token_copied_badly_is_told_without_repeating_it(token: str) -> None:
    (problem,) = Section.model_validate({"token": token}).problems()
    assert "BOBBIN_DISCORD__TOKEN" in problem
    assert token not in problem


def test_addresses_must_be_addresses() -> None:
    with pytest.raises(ValidationError):
        Section(gateway_url="https://127.0.0.1")
    assert Section(api_url="http://127.0.0.1/api/v10/").api_url == "http://127.0.0.1/api/v10"


def test_the_application_id_is_read_from_the_token() -> None:
    number = "1234567890"
    token = base64.b64encode(number.encode()).decode().rstrip("=") + "." + secrets.token_hex(8)
    section = Section.model_validate({"token": token})
    assert section.application_id == number
    assert f"client_id={number}&" in manifest(section)


@pytest.mark.parametrize("token", ["", "local-bot", "é.x", "YWJj.x"])
def test_an_unreadable_token_leaves_a_placeholder(token: str) -> None:
    assert "client_id=APPLICATION_ID&" in manifest(Section.model_validate({"token": token}))


def test_only_where_people_may_add_it_to_their_account_there_is_a_link_for_that() -> None:
    assert "integration_type" not in manifest(Section())
    invite, install = manifest(Section(user_install=True)).splitlines()
    assert invite == manifest(Section())
    assert install.endswith("client_id=APPLICATION_ID&integration_type=1&scope=applications.commands")


def test_the_link_asks_for_what_is_needed_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    link = manifest(Section())
    assert "Set BOBBIN_DISCORD__TOKEN first" in capsys.readouterr().err
    assert f"permissions={PERMISSIONS.value}&" in link
    assert link.endswith("scope=bot+applications.commands")
    assert not PERMISSIONS.administrator
    assert PERMISSIONS.send_messages_in_threads
