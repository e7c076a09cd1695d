"""The example of a deployment: what it starts stays below what the AI service and PostgreSQL allow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bots import platforms
from bots.app import WORKER
from core.engine import jobs
from core.settings import UpstreamSection
from core.storage import database

DEPLOY = Path(__file__).parent.parent / "deploy"
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
    assert set(processes()) == {WORKER, *platforms.names()}


@pytest.mark.parametrize("limit", ["in_flight", "per_second"])
def test_together_the_workers_ask_no_more_than_a_token_may(limit: str) -> None:
    each = re.search(rf"BOBBIN_UPSTREAM__{limit.upper()}: (\d+)", COMPOSE)
    assert each
    assert processes()[WORKER] * int(each[1]) == UpstreamSection.model_fields[limit].default


def test_together_they_need_no_more_connections_than_there_are() -> None:
    each = dict.fromkeys(processes(), database.CONNECTIONS + SHARES)
    each[WORKER] += jobs.CONNECTIONS + LISTENS
    twice = 2  # all are replaced at once
    assert twice * sum(each[part] * many for part, many in processes().items()) <= MOST_CONNECTIONS


def test_every_variable_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    written = re.findall(r"^ *(BOBBIN_\w+)(?:: |=)(.*)$", COMPOSE, flags=re.MULTILINE)
    written += re.findall(r"^(BOBBIN_\w+)=(.*)$", (DEPLOY / "bobbin.env.example").read_text(), flags=re.MULTILINE)
    assert len(written) > len(processes())
    for name, value in written:
        monkeypatch.setenv(name, value)
    assert platforms.settings().shares_its_work
