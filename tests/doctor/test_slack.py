"""Wrong set-ups of Slack, one a row: the doctor names the fault and its mend in a line."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator

import pytest

from bots.slack import setup
from bots.slack.manifest import SCOPES
from sandbox.replies import Reply
from sandbox.slack import LocalSlack
from tests.doctor.conftest import Doctor

USER, BOT, APP = "xoxp-", "xoxb-", "xapp-"


@pytest.fixture
async def local() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as running:
        yield running


def variables(local: LocalSlack, **more: str) -> dict[str, str]:
    given = {"BOT_TOKEN": local.bot_token, "APP_TOKEN": local.app_token, "API_URL": local.api_url, **more}
    return {f"SLACK__{name}": value for name, value in given.items() if value != "-"}


async def test_all_is_well_with_the_scopes_of_the_manifest(doctor: Doctor, local: LocalSlack) -> None:
    local.installation.scopes = {*SCOPES}
    report = await doctor(**variables(local))
    assert (report.code, report.faults) == (0, set())
    assert report.found["slack"].startswith("✓ the tokens work in the workspace")
    assert "Socket Mode" in report.found["slack"]
    assert report.found["slack"].count("\n") == 1


async def test_without_a_public_url_it_is_told_what_is_not_read(doctor: Doctor, local: LocalSlack) -> None:
    local.installation.scopes = {*SCOPES}
    report = await doctor(**variables(local))
    assert "! web.public_url is not set" in report.found["web"]
    assert "BOBBIN_WEB__PUBLIC_URL" in report.found["web"]
    report = await doctor(**variables(local), WEB__PUBLIC_URL="https://bobbin.example.com")
    assert "public_url" not in report.found["web"]


async def test_the_scope_for_files_is_asked_for(doctor: Doctor, local: LocalSlack) -> None:
    local.installation.scopes = {*SCOPES} - {"files:read"}
    report = await doctor(**variables(local))
    assert "lacks these scopes: files:read." in report.found["slack"]


# What can be told without asking Slack
WRITTEN = {
    "token in quotes": ({"BOT_TOKEN": '"xoxb-1-2"'}, "BOBBIN_SLACK__BOT_TOKEN", "quotation marks; write it without"),
    "user token": ({"BOT_TOKEN": USER + "1-2"}, "a user token", "set it to the “Bot User OAuth Token”"),
    "token that expires": ({"BOT_TOKEN": f"xoxe.{BOT}1"}, "expires", "switch token rotation off"),
    "app token in bot's place": ({"BOT_TOKEN": APP + "1"}, "an app-level token", "set it to the bot token (xoxb-)"),
    "bot token in app's place": ({"APP_TOKEN": BOT + "1"}, "a bot token", "set it to the app-level token (xapp-)"),
    "only bot token": ({"APP_TOKEN": "-"}, "no way to receive events", "set BOBBIN_SLACK__APP_TOKEN"),
    "only app token": ({"BOT_TOKEN": "-"}, "no bot token", "set BOBBIN_SLACK__BOT_TOKEN"),
    "Slack API URL without scheme": ({"API_URL": "slack.com/api"}, "BOBBIN_SLACK__API_URL", "must begin with https://"),
    "typo": ({"BOT_TOEKN": "x"}, "BOBBIN_SLACK__BOT_TOEKN", "did you mean BOBBIN_SLACK__BOT_TOKEN?"),
}


@pytest.mark.parametrize(("more", "fault", "mend"), WRITTEN.values(), ids=WRITTEN)
async def test_what_is_written(doctor: Doctor, local: LocalSlack, more: dict[str, str], fault: str, mend: str) -> None:
    report = await doctor(**variables(local, **more))
    assert report.code == 2
    assert fault in report.found["settings"]
    assert mend in report.found["settings"]


@pytest.mark.parametrize("name", ["SLCAK__BOT_TOKEN", "SLACK_BOT_TOKEN"])
async def test_a_name_that_is_none(doctor: Doctor, name: str) -> None:
    report = await doctor(**{name: "x"})
    assert report.code == 2
    assert (
        f"BOBBIN_{name}: there is no setting of that name; did you mean BOBBIN_SLACK__BOT_TOKEN?"
        in (report.found["settings"])
    )


async def test_a_variable_without_the_prefix(doctor: Doctor) -> None:
    report = await doctor(BARE__SLACK_BOT_TOKEN=BOT)
    assert report.code == 1
    assert "SLACK_BOT_TOKEN is set, but Bobbin reads BOBBIN_SLACK__BOT_TOKEN: set that instead" in report.found["slack"]


async def test_an_empty_variable(doctor: Doctor) -> None:
    report = await doctor(SLACK__BOT_TOKEN="", SLACK__APP_TOKEN="")
    assert report.code == 1
    assert "BOBBIN_SLACK__BOT_TOKEN is set, but empty" in report.found["slack"]


# What Slack says
REFUSED = {
    "wrong bot token": ({"BOT_TOKEN": BOT + "1-2"}, "does not accept BOBBIN_SLACK__BOT_TOKEN", "Copy it again"),
    "client secret": (
        {"BOT_TOKEN": secrets.token_hex(16)},
        "begins with xoxb-; this looks like another secret",
        "Copy",
    ),
    "wrong app token": ({"APP_TOKEN": APP + "1"}, "does not accept BOBBIN_SLACK__APP_TOKEN", "Copy it again"),
    "unreachable": ({"API_URL": "http://127.0.0.1:9/api/"}, "can't be reached", "Is BOBBIN_SLACK__API_URL right"),
    "trailing newline": ({"BOT_TOKEN": "{}\n"}, "✓", "the tokens work"),
    "app token and signing secret": ({"SIGNING_SECRET": "{}"}, "! events come by Socket Mode", "unset one of the two"),
}


@pytest.mark.parametrize(("more", "fault", "mend"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(doctor: Doctor, local: LocalSlack, more: dict[str, str], fault: str, mend: str) -> None:
    more = {name: value.replace("{}", local.bot_token) for name, value in more.items()}
    report = await doctor(**variables(local, **more))
    assert fault in report.found["slack"]
    assert mend in report.found["slack"]
    assert not any(value in report.found["slack"] for name, value in more.items() if "URL" not in name)


async def test_missing_scopes(doctor: Doctor, local: LocalSlack) -> None:
    local.installation.scopes -= {"reactions:write", "channels:read", "groups:read"}
    report = await doctor(**variables(local))
    assert "✗ The app lacks these scopes: channels:read, groups:read, reactions:write. Paste" in report.found["slack"]


async def test_a_scope_that_answers_can_do_without_is_no_fault(doctor: Doctor, local: LocalSlack) -> None:
    local.installation.scopes -= {"usergroups:read"}
    report = await doctor(**variables(local))
    assert "! The app lacks the scope usergroups:read, so a group of people" in report.found["slack"]
    assert "✗" not in report.found["slack"]


async def test_unknown_scopes_are_not_missing(doctor: Doctor, local: LocalSlack) -> None:
    answer = {"ok": True, "user_id": "U1", "bot_id": "B1", "team_id": "T1", "team": "Elsewhere"}
    local.faults.odd("auth.test", Reply(body=json.dumps(answer), content_type="application/json"))
    report = await doctor(**variables(local))
    assert report.code == 0
    assert "! this server doesn't say which scopes it grants" in report.found["slack"]


async def test_a_page_in_slacks_place(doctor: Doctor, local: LocalSlack) -> None:
    local.faults.odd("*", Reply(), None)
    report = await doctor(**variables(local))
    assert "is not Slack" in report.found["slack"]
    assert "Is a proxy or a login page in between, and is BOBBIN_SLACK__API_URL right?" in report.found["slack"]


async def test_in_no_channel(doctor: Doctor, local: LocalSlack) -> None:
    answer = {"ok": True, "channels": [{"id": "D1"}]}
    local.faults.odd("users.conversations", Reply(body=json.dumps(answer), content_type="application/json"))
    report = await doctor(**variables(local))
    assert report.code == 0
    assert "! the bot is in no channel yet" in report.found["slack"]
    assert "/invite @bobbin" in report.found["slack"]


async def test_a_signing_secret_can_not_be_tried(doctor: Doctor, local: LocalSlack) -> None:
    report = await doctor(**variables(local, APP_TOKEN="-", SIGNING_SECRET=local.signing_secret))
    assert report.code == 0
    assert "events by HTTP to /slack/events" in report.found["slack"]
    assert "! whether BOBBIN_SLACK__SIGNING_SECRET is right shows with the first event" in report.found["slack"]


async def test_a_clock_that_is_off(doctor: Doctor, local: LocalSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_now", lambda: time.time() + 3600)
    report = await doctor(**variables(local, APP_TOKEN="-", SIGNING_SECRET=local.signing_secret))
    assert "✗ this machine's clock is off by +60 minutes" in report.found["slack"]
    assert "set the clock" in report.found["slack"]
