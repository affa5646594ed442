"""Which hosts a walk asks for no further page, while others go on."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from imagecrawl.exceptions import Obstacle, PageError
from imagecrawl.spider import FAILURES_MAX, ends_asking


class Hosts:
    """Tell it of each page that was read, and of each that could not be.

    A host, which is a name without a port, is given up when FAILURES_MAX of its pages in a row could not be read, or
    one met an obstacle that any other would meet too. That may be another host than the page was asked of, where one
    leads to the other.
    """

    def __init__(self) -> None:
        self.given_up: dict[str, Obstacle] = {}
        """Why, by host."""
        self.left_out: Counter[str] = Counter()
        """Pages that :meth:`leaves_out` left out, by host."""
        self._failures: Counter[str] = Counter()

    def succeed(self, url: str) -> None:
        self._failures.pop(_host_of(url), None)

    def fail(self, url: str, error: PageError) -> None:
        host = _host_of(url)
        self._failures[host] += 1
        if ends_asking(error):
            self.given_up.setdefault(error.host or host, error.kind)
        if self._failures[host] >= FAILURES_MAX:
            self.given_up.setdefault(host, error.kind)

    def leaves_out(self, url: str, error: PageError | None = None) -> bool:
        """Whether a page is not to be asked for, or met with ``error`` what was said of its host before."""
        host = (error and error.host) or _host_of(url)
        if host not in self.given_up or (error and not ends_asking(error)):
            return False
        self.left_out[host] += 1
        return True


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""
