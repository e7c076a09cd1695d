"""What is promised of PostgreSQL is promised of its oldest version and its newest."""

from __future__ import annotations

import pytest

from tests.conftest import POSTGRES


@pytest.fixture(params=POSTGRES)
def postgres_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_postgres"))
