"""What can go wrong, and who says so.

::

    PageError                 a page gave no results; ``kind`` names the obstacle
     +-- PageBlockedError     something stands between us and the results
     +-- PageChangedError     the page is neither results nor a known obstacle
     +-- PageElsewhereError   the page is another one than its address says
     +-- PageEmptyError       the site answered that it has nothing
     +-- BrowserError         there is no browser, or it did not start
     +-- CertificateError     the certificate of a host cannot be verified
    MediaError                one picture or file could not be had or was not wanted
    LedgerError               the ledger cannot be read or written
     +-- AlreadyRunningError  the very same crawl is under way
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from imagecrawl.outcomes import Outcome


class Obstacle(StrEnum):
    """What a page was instead of results. The value is used in stats, file names and messages."""

    CONSENT = "consent"
    """The site asks for a choice on cookies, and one rejection did not end it."""

    CAPTCHA = "captcha"
    """The site wants proof that a person is asking."""

    JAVASCRIPT = "javascript"
    """An empty shell whose scripts did not run, or did not lead to results."""

    UPDATE_BROWSER = "update-browser"
    """The site turns this client away as too old."""

    REFUSED = "refused"
    """An error status: 403, 429, 5xx, ..."""

    UNREACHABLE = "unreachable"
    """No answer at all: DNS, connection, TLS, time-out. Raised by spiders, never by a page function."""

    NO_BROWSER = "no-browser"
    """Chromium is missing or does not start."""

    CERTIFICATE = "certificate"
    """The certificate of the host cannot be verified."""

    ROBOTS_TXT = "robots-txt"
    """The robots.txt of the host forbids the page."""

    ROBOTS_UNAVAILABLE = "robots-unavailable"
    """The host does not say what its robots.txt allows, which means: nothing, for now."""

    PRIVATE_ADDRESS = "private-address"
    """The page is on this machine, in a private network or in a cloud's metadata."""

    GIVEN_UP = "given-up"
    """The host refused so often that nothing more is asked of it."""

    REDIRECTS = "redirects"
    """The page leads to another one, that to the next, and so on without an end."""

    TOO_LARGE = "too-large"
    """The page is larger than DOWNLOAD_MAXSIZE."""

    ELSEWHERE = "elsewhere"
    """A link leads out of the site, or to what is not wanted."""

    REPEATED = "repeated"
    """A link leads to a page that is read anyway."""

    CHANGED = "changed"
    """The page is none of the shapes we can read."""

    NO_RESULTS = "no-results"
    """The site says that it has nothing for this query."""

    NO_SUBREDDIT = "no-subreddit"
    """There is no community of that name."""

    PRIVATE = "private"
    """The community is for its members, or for paying ones."""

    BANNED = "banned"
    """The site has closed the community."""

    QUARANTINED = "quarantined"
    """The community is shown only to those who have said that they want to see it."""

    OVER_18 = "over-18"
    """The community is shown only to those who have said that they are of age."""

    LOGIN = "login"
    """The site answers only those who are logged in."""

    CREDENTIALS = "credentials"
    """The site does not accept the credentials, or no longer accepts the token they gave."""

    RATE_LIMITED = "rate-limited"
    """The site says that we ask too often."""

    NETWORK_BLOCK = "network-block"
    """The site turns away this network address or this user agent."""

    ERROR = "error"
    """Something nobody foresaw while the page was read; the log has its traceback."""

    TRUNCATED = "truncated"
    """The answer ends early: asking again may help."""


class PageError(Exception):
    """A page gave no results. A spider that catches one sends it on as ``signals.page_failed``.

    ``kind`` is the obstacle; ``body`` the page, where the spider keeps it with the error; ``ends_crawl`` is true when
    every further page would meet the same one (the site itself blocks us, there is no browser), so that the crawl must
    not ask for another.
    """

    kind: Obstacle
    body: bytes | None = None
    ends_crawl: bool = False
    host: str | None = None
    """Whose obstacle it is, where that is known: a page may lead to another host."""


class PageBlockedError(PageError):
    """Raised by page functions when something stands between us and the results."""

    def __init__(self, kind: Obstacle, message: str, *, ends_crawl: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.ends_crawl = ends_crawl


class PageChangedError(PageError):
    """Raised by page functions when a page is neither results nor a known obstacle, or is only half of one."""

    kind = Obstacle.CHANGED


class PageElsewhereError(PageError):
    """Raised by spiders when a page is another one than its address says."""

    def __init__(self, kind: Obstacle, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class PageEmptyError(PageError):
    """Raised by page functions when the site says that it has nothing for the query, or no such place."""

    def __init__(self, message: str, *, kind: Obstacle = Obstacle.NO_RESULTS) -> None:
        super().__init__(message)
        self.kind = kind


class BrowserError(PageError):
    """Raised by :mod:`imagecrawl.browser` when Chromium is missing or does not start."""

    kind = Obstacle.NO_BROWSER
    ends_crawl = True


class CertificateError(PageError):
    """Raised by the download handler when the certificate of ``host`` cannot be verified; names the way round it."""

    kind = Obstacle.CERTIFICATE
    ends_crawl = True
    host: str

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"the certificate of {host} cannot be verified ({why}); SSL_CERT_FILE can name a missing authority; "
            f"to accept it unverified: -s TLS_UNVERIFIED_HOSTS={host}"
        )
        self.host = host
        self.why = why


class MediaError(Exception):
    """Raised by the pipelines, ``pictures.prove`` and ``documents.prove`` when one picture or file is not stored.

    ``outcome`` is ``refused`` (we did not want it) or ``failed`` (it could not be had); ``reason`` comes from the list
    in :mod:`imagecrawl.outcomes`. ``passing`` is true when asking again later may help: a host that is down, a crawl
    that was stopped. ``opt_outs`` is what was said of being used, whatever the reason: see :mod:`imagecrawl.optouts`.
    """

    def __init__(
        self,
        outcome: Outcome,
        reason: str,
        detail: str = "",
        *,
        passing: bool = False,
        opt_outs: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.outcome = outcome
        self.reason = reason
        self.passing = passing
        self.opt_outs = opt_outs


class LedgerError(Exception):
    """Raised by :mod:`imagecrawl.ledger` in one line that names the file; ``full`` is true when the disk is."""

    def __init__(self, message: str, *, full: bool = False) -> None:
        super().__init__(message)
        self.full = full


class AlreadyRunningError(LedgerError):
    """Raised by :mod:`imagecrawl.memory` when the very same crawl is under way on this ledger."""
