"""Half a set of tokens is told, each with what to write instead."""

from __future__ import annotations

import json
import secrets

import pytest

from bots import slack
from bots.slack.settings import Section


def section(**values: str) -> Section:
    return Section.model_validate(values)


def test_nothing_set_is_no_problem() -> None:
    assert not section().is_configured
    assert not section().problems()


@pytest.mark.parametrize("way", ["app_token", "signing_secret"])
def test_a_bot_token_and_a_way_to_receive_events_are_enough(way: str) -> None:
    settings = section(bot_token="b", **{way: "s"})
    assert settings.is_configured
    assert not settings.problems()
    assert settings.uses_socket_mode == (way == "app_token")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"bot_token": "b"}, "BOBBIN_SLACK__APP_TOKEN"),
        ({"app_token": "a"}, "BOBBIN_SLACK__BOT_TOKEN"),
        ({"signing_secret": "s"}, "BOBBIN_SLACK__BOT_TOKEN"),
        ({"bot_token": "xapp-" + secrets.token_hex(4), "app_token": "a"}, "BOBBIN_SLACK__BOT_TOKEN"),
        ({"bot_token": "b", "app_token": "xoxb-" + secrets.token_hex(4)}, "BOBBIN_SLACK__APP_TOKEN"),
    ],
)
def test_half_a_set_is_told(given: dict[str, str], wanted: str) -> None:
    (problem,) = section(**given).problems()
    assert wanted in problem
    assert not any(value in problem for value in given.values() if len(value) > 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/api", "http://127.0.0.1:1/api/"])
def test_the_address_ends_with_a_slash(url: str) -> None:
    assert section(api_url=url).api_url == "http://127.0.0.1:1/api/"


# The manifest


def test_the_manifest_is_for_socket_mode_unless_events_come_by_http() -> None:
    by_socket = json.loads(slack.manifest(section()))
    by_http = json.loads(slack.manifest(section(bot_token="b", signing_secret="s")))
    assert by_socket["settings"]["socket_mode_enabled"]
    assert "request_url" not in json.dumps(by_socket)
    assert not by_http["settings"]["socket_mode_enabled"]
    assert by_http["settings"]["event_subscriptions"]["request_url"].endswith("/slack/events")


def test_the_manifest_keeps_within_slacks_limits() -> None:
    """https://docs.slack.dev/reference/app-manifest"""
    manifest = json.loads(slack.manifest(section()))
    assert len(manifest["display_information"]["description"]) <= 140
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
