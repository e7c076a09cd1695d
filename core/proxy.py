"""Finds the proxy that the environment names for an address; all our clients ask here."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed leaves it out

from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# As curl and most others read them: https://everything.curl.dev/usingcurl/proxies/env.html
_NAMES = {"http": "http_proxy", "ws": "http_proxy", "https": "https_proxy", "wss": "https_proxy"}
_EVERY, _NONE = "all_proxy", "no_proxy"


def proxy_named(url: str, variables: Mapping[str, str]) -> str | None:
    """Return the URL of the proxy for *url*, None if it is reached without. This machine's own addresses always are.

    Raises SetupError for a kind of proxy that can't be used.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    name = _NAMES.get(parts.scheme, _EVERY)
    proxy = _value(name, variables) or _value(_EVERY, variables)
    beside = host if parts.port is None else f"{host}:{parts.port}"
    if not proxy or proxy_bypass_environment(beside, {"no": _value(_NONE, variables)}):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https") or not urlsplit(proxy).hostname:
        raise SetupError(
            f"{name.upper()} or {_EVERY.upper()} names a proxy that Bobbin can't use: write for instance http://proxy:3128, or unset it."
        )
    return proxy


def proxies(variables: Mapping[str, str]) -> Iterator[str]:
    """Every proxy that is named, for its password to be kept out of the log."""
    for name in {*_NAMES.values(), _EVERY}:
        if proxy := _value(name, variables):
            yield proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Does *host* name this machine itself?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # https://www.rfc-editor.org/rfc/rfc6761#section-6.3


def _value(name: str, variables: Mapping[str, str]) -> str:
    return variables.get(name) or variables.get(name.upper()) or ""
