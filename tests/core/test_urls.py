"""What in a URL is secret, however it is written there."""

from __future__ import annotations

import pytest

from core.errors import SetupError
from core.storage.database import conninfo, open_database, readable
from core.urls import secrets_in

HOST = "127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        (f"postgresql://u:hush-hush@{HOST}", {"hush-hush"}),
        (f"postgresql://u:hush%40hush@{HOST}", {"hush%40hush", "hush@hush"}),
        (f"postgresql://u:hush@hush@{HOST}", {"hush@hush", "hush"}),
        (f"postgresql://u:hu/sh@{HOST}", {"hu/sh"}),
        (f"postgresql://{HOST}?user=u&password=hush%2Bhush", {"hush%2Bhush", "hush+hush"}),
        (f"postgresql://{HOST}?sslmode=require&sslpassword=hush+hush", {"hush+hush", "hush hush"}),
        (f"postgresql://{HOST}?oauth_client_secret=hush-hush", {"hush-hush"}),
        (f"postgresql://{HOST}?scram_client_key=hush-hush", {"hush-hush"}),
        (f"postgresql://u@{HOST}?sslmode=require", set()),
        ("sqlite:///bobbin.db", set()),
        ("https://u:hush-hush@proxy.test:3128", {"hush-hush"}),
    ],
)
def test_what_is_secret_in(url: str, secrets: set[str]) -> None:
    assert set(secrets_in(url)) == secrets


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql://u:hush-hush@{HOST}?password=hush-hush&sslpassword=hush", f"postgresql://u:***@{HOST}"),
        (f"postgresql://{HOST}?user=u&options=hush-hush", f"postgresql://{HOST}?user=u"),
        ("postgresql:///x?host=/run/postgresql&passfile=/hush", "postgresql:///x?host=%2Frun%2Fpostgresql"),
        ("sqlite:////data/bobbin.db", "sqlite:////data/bobbin.db"),
    ],
)
def test_where_the_database_is_is_told_without_secrets(url: str, told: str) -> None:
    assert readable(url) == told


@pytest.mark.parametrize(
    "url", [f"postgresql://u:hush@hush@{HOST}", "postgresql://u:hush-hush@h:hush/x", "hush-hush", "mysql://u:hush@h/x"]
)
def test_what_is_no_url_is_said_without_quoting_it(url: str) -> None:
    with pytest.raises(SetupError, match=r"database\.url") as said:
        open_database(url)
    assert "hush" not in said.value.sentence
    assert "hush" not in str(said.value.__cause__)


def test_both_that_read_the_url_read_the_same_password() -> None:
    psycopg = pytest.importorskip("psycopg")
    read = psycopg.conninfo.conninfo_to_dict(conninfo(f"postgresql+psycopg://u:a/b%40c%d?e@{HOST}?sslmode=require"))
    assert (read["password"], read["host"], read["port"], read["dbname"]) == ("a/b@c%d?e", "127.0.0.1", "1", "x")
    assert read["sslmode"] == "require"
