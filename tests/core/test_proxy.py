"""Which proxy is named for which address."""

from __future__ import annotations

import pytest

from core.errors import SetupError
from core.proxy import proxies, proxy_named

PROXY = "http://proxy.test:3128"
SECURE = {"HTTPS_PROXY": PROXY}


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        ("https://slack.com/api/", SECURE, PROXY),
        ("wss://gateway.discord.gg/", SECURE, PROXY),
        ("https://slack.com/api/", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other.test:1"}, PROXY),
        ("http://upstream.test/", SECURE, None),
        ("http://upstream.test/", {"HTTP_PROXY": PROXY}, PROXY),
        ("ws://upstream.test/", {"http_proxy": PROXY}, PROXY),
        ("https://slack.com/api/", {"ALL_PROXY": PROXY}, PROXY),
        ("https://slack.com/api/", {}, None),
        ("https://slack.com/api/", {"HTTPS_PROXY": ""}, None),
        ("https://slack.com/api/", {"HTTPS_PROXY": "proxy.test:3128"}, PROXY),
        ("https://slack.com/api/", SECURE | {"NO_PROXY": "example.com, slack.com"}, None),
        ("https://wss-primary.slack.com/", SECURE | {"no_proxy": ".slack.com"}, None),
        ("https://notslack.com/", SECURE | {"NO_PROXY": "slack.com"}, PROXY),
        ("https://slack.com:8443/", SECURE | {"NO_PROXY": "slack.com:8443"}, None),
        ("https://slack.com/api/", SECURE | {"NO_PROXY": "*"}, None),
        ("https://127.0.0.1:8443/", SECURE, None),
        ("https://[::1]/", SECURE, None),
        ("https://localhost/", SECURE, None),
        ("https://bot.localhost/", SECURE, None),
    ],
)
def test_the_proxy_of(url: str, variables: dict[str, str], proxy: str | None) -> None:
    assert proxy_named(url, variables) == proxy


@pytest.mark.parametrize("proxy", ["socks5://u:hush-hush@proxy.test:1080", "http://", "https://:3128"])
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(proxy: str) -> None:
    with pytest.raises(SetupError, match="ALL_PROXY") as said:
        proxy_named("https://slack.com/", {"ALL_PROXY": proxy})
    assert "hush" not in said.value.sentence


def test_every_proxy_is_known_for_its_password() -> None:
    variables = {"https_proxy": "http://u:hush-1@a.test", "HTTP_PROXY": "u:hush-2@b.test", "ALL_PROXY": ""}
    assert sorted(proxies(variables)) == ["http://u:hush-1@a.test", "http://u:hush-2@b.test"]
