"""The example of a deployment: what it starts stays below what the AI service and PostgreSQL allow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bots import platforms
from bots.database import USUAL as DATABASE_TIMES
from bots.roles import WORKER
from core.engine import jobs
from core.redactor import Redactor
from core.sections import UpstreamSection
from core.settings import Settings
from core.storage import postgresql

HOUSE = Path(__file__).parent.parent
DEPLOY = HOUSE / "deploy"
GUIDE = (HOUSE / "docs/running.md").read_text()
COMPOSE = (DEPLOY / "compose.yaml").read_text()
# https://www.postgresql.org/docs/current/runtime-config-connection.html: max_connections, less those of superusers
MOST_CONNECTIONS = 100 - 3
LISTENS, SHARES = 1, 1  # connections that a process keeps beside its pools


def processes() -> dict[str, int]:
    """How many there are of each part."""
    found: dict[str, int] = {}
    for service in re.split(r"^  (?=\w+:$)", COMPOSE, flags=re.MULTILINE):
        if part := re.search(r"--only, (\w+)", service):
            replicas = re.search(r"replicas: (\d+)", service)
            found[part[1]] = int(replicas[1]) if replicas else 1
    return found


def test_it_starts_every_part() -> None:
    """One for each platform that the sample of the settings explains."""
    explained = re.findall(r"^\[(\w+)\]", platforms.SAMPLE.read_text(), re.MULTILINE)
    assert set(processes()) == {WORKER, *(name for name in platforms.names() if name in explained)}


def services() -> dict[str, str]:
    """What is written of each service, what all of Bobbin's have in common included."""
    common, _, rest = COMPOSE.partition("\nservices:\n")
    found = re.split(r"^  (?=\w+:$)", rest.partition("\nvolumes:")[0], flags=re.MULTILINE)[1:]
    return {one.partition(":")[0]: one + (common if "*bobbin" in one else "") for one in found}


def test_everything_is_back_after_a_restart_of_the_engine() -> None:
    assert {"postgres", "proxy", WORKER} < set(services())
    for name, written in services().items():
        assert "restart: unless-stopped" in written, name


def test_the_password_is_no_word_that_a_log_would_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    [url] = re.findall(r"BOBBIN_DATABASE__URL: (\S+)", COMPOSE)
    monkeypatch.setenv("BOBBIN_DATABASE__URL", url)
    [password] = [secret for secret in platforms.settings().secrets if secret]
    assert f"POSTGRES_PASSWORD: {password}" in COMPOSE
    redactor = Redactor([password])
    for path in [*(HOUSE / "core").rglob("*.py"), *(HOUSE / "bots").rglob("*.py")]:
        assert redactor.over(path.read_text()) == path.read_text()


def test_only_this_machine_reaches_it() -> None:
    ports = re.findall(r'- "([\d.:]+:\d+)"', COMPOSE)
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_all_processes_are_of_one_image_and_none_starts_without_a_platform() -> None:
    common = COMPOSE.partition("\nservices:\n")[0]
    assert "\n  image: bobbin\n" in common
    assert "${COMPOSE_PROFILES:?" in common


def test_containers_get_longer_to_end_than_answers_do() -> None:
    grace = Settings.model_fields["shutdown_grace"].default
    [stop] = re.findall(r"stop_grace_period: (\d+)s", COMPOSE)
    [by_hand] = re.findall(r"--stop-timeout (\d+)", GUIDE)
    assert min(int(stop), int(by_hand)) >= grace + DATABASE_TIMES.ending


@pytest.mark.parametrize("limit", ["in_flight", "per_second"])
def test_together_the_workers_ask_no_more_than_a_token_may(limit: str) -> None:
    each = re.search(rf"BOBBIN_UPSTREAM__{limit.upper()}: (\d+)", COMPOSE)
    assert each
    assert processes()[WORKER] * int(each[1]) == UpstreamSection.model_fields[limit].default


def test_together_they_need_no_more_connections_than_there_are() -> None:
    each = dict.fromkeys(processes(), postgresql.CONNECTIONS + SHARES)
    listening = each[WORKER]
    each[WORKER] += jobs.CONNECTIONS + LISTENS
    told = re.search(r"takes up to (\d+) connections to PostgreSQL, any other one up to (\d+)", GUIDE)
    assert told
    assert (int(told[1]), int(told[2])) == (each[WORKER], listening)
    twice = 2  # all are replaced at once
    assert twice * sum(each[part] * many for part, many in processes().items()) <= MOST_CONNECTIONS


def test_every_variable_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    written = re.findall(r"^ *(BOBBIN_\w+)(?:: |=)(.*)$", COMPOSE, flags=re.MULTILINE)
    written += re.findall(r"^(BOBBIN_\w+)=(.*)$", (DEPLOY / "bobbin.env.example").read_text(), flags=re.MULTILINE)
    assert len(written) > len(processes())
    for name, value in written:
        monkeypatch.setenv(name, value)
    assert platforms.settings().shares_its_work
