"""What an address must be before it is asked for, going by its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagecrawl.failures import BAD_URL, NO_SUCH_SCHEME, PRIVATE_ADDRESS, URL_TOO_LONG, RequestRefusedError
from imagecrawl.network.addresses import NO_HOST, refusal

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

SCHEMES = frozenset({"http", "https", "data"})

DEFAULT_PORTS = {"http": "80", "https": "443"}

_SCHEME = re.compile(r"\s*+([a-z][a-z0-9+.-]*+):", re.IGNORECASE)

_PORT = re.compile(r":(\d*)$")


class UrlRules:
    """The rules of one crawl.

    Settings: ``URLLENGTH_LIMIT`` (Scrapy's) and ``DATA_URI_MAX``, characters of an http or https address and of a
    ``data:`` URI, 0 = no bound; ``ALLOW_PRIVATE_ADDRESSES``.
    """

    def __init__(self, settings: BaseSettings) -> None:
        self.url_max = settings.getint("URLLENGTH_LIMIT")
        self.data_max = settings.getint("DATA_URI_MAX")
        self.allow_private = settings.getbool("ALLOW_PRIVATE_ADDRESSES")

    def check(self, url: str) -> None:
        """Raise RequestRefusedError for an address that is not to be asked for. Of what has no scheme only the length
        is looked at: no Request can be made of it."""
        scheme = check_scheme(url)
        setting, longest = ("DATA_URI_MAX", self.data_max) if scheme == "data" else ("URLLENGTH_LIMIT", self.url_max)
        if 0 < longest < len(url):
            raise RequestRefusedError(f"its address of {len(url)} characters is above {setting}", URL_TOO_LONG)
        if scheme in {"http", "https"}:
            self._check_host(url)

    def _check_host(self, url: str) -> None:
        if not self.allow_private and (why := refusal(url)):
            raise host_refused(why)
        if "@" in urlsplit(url).netloc:  # Twisted would look for a host of that name, a proxy would be told it
            raise RequestRefusedError("its address holds a user name, which is not sent to strangers", BAD_URL)


def host_refused(why: str) -> RequestRefusedError:
    """What a request fails with whose host is refused, for what :func:`~imagecrawl.network.addresses.refusal` says or
    for where its name leads."""
    return RequestRefusedError(why, BAD_URL if why == NO_HOST else PRIVATE_ADDRESS)


def check_scheme(url: str) -> str:
    """The scheme of an address, empty when it has none; raises RequestRefusedError for one that is never asked for."""
    found = _SCHEME.match(url)
    scheme = found[1].lower() if found else ""
    if scheme and scheme not in SCHEMES:
        raise RequestRefusedError(f"{scheme[:20]}: is neither http:, https: nor data:", NO_SUCH_SCHEME)
    return scheme


def authority(url: str) -> str:
    """Whom an http or https address asks, ``host`` or ``host:port``, in one spelling (RFC 3986, section 6.2): in lower
    case, without user and password, the root's dot and the scheme's own port; empty for ``data:`` and the like."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS:
        return ""
    name = parts.netloc.rpartition("@")[2].lower()
    found = _PORT.search(name)
    port = found[1].lstrip("0") if found else ""
    host = (name[: found.start()] if found else name).removesuffix(".")
    return f"{host}:{port}" if port and port != DEFAULT_PORTS[parts.scheme] else host
