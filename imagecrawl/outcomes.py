"""The closed list of what can become of a result: used by feed, ledger, stats and summary alike.

Every feed line has one :class:`Outcome`. ``reason`` is ``None`` for what was stored as asked for, and one of
:class:`Reason` or ``http-<status>`` otherwise. A line that is ``stored`` *with* a reason holds the thumbnail or a
smaller copy, and the reason says why the picture itself could not be had.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a result."""

    STORED = "stored"
    """Fetched, proven and written in this run."""

    UPTODATE = "uptodate"
    """Already in its place, intact, from an earlier run."""

    DUPLICATE = "duplicate"
    """Another address has put the same bytes into that folder, or the same address came before in this run."""

    REFUSED = "refused"
    """It could be had, but the settings or the host's rules say no."""

    FAILED = "failed"
    """It could not be had, or was not what it claimed to be."""

    LISTED = "listed"
    """Found, and not asked for: nothing but a list was wanted."""

    @property
    def as_asked(self) -> bool:
        """Whether it is on disk under its own line, or on the list that was wanted: what ``limit`` counts."""
        return self in {Outcome.STORED, Outcome.UPTODATE, Outcome.LISTED}


class Reason(StrEnum):
    """Why a result was refused or failed."""

    # refused
    UNSUPPORTED_FORMAT = "unsupported-format"
    """A picture of a kind we do not store: SVG, HEIC, JPEG XL, JPEG 2000, PSD."""
    TOO_SMALL = "too-small"
    """Below IMAGES_MIN_WIDTH, IMAGES_MIN_HEIGHT, IMAGES_MIN_BYTES or IMAGES_MIN_PIXELS."""
    TOO_LARGE = "too-large"
    """Above IMAGES_MAX_WIDTH, IMAGES_MAX_HEIGHT, IMAGES_MAX_BYTES or FILES_MAX_BYTES."""
    TOO_MANY_PIXELS = "too-many-pixels"
    """Above IMAGES_MAX_PIXELS, or an animation as costly: a decompression bomb, never decoded."""
    TOO_MANY_FRAMES = "too-many-frames"
    """An animation with more than IMAGES_MAX_FRAMES."""
    ROBOTS_TXT = "robots-txt"
    """The robots.txt of the host forbids it."""
    ROBOTS_UNAVAILABLE = "robots-unavailable"
    """The host does not say what its robots.txt allows (5xx, 429), which means: nothing, for now."""
    OPT_OUT = "opt-out"
    """Its host, its page or the picture itself says that it is not for training, and OPT_OUT_... obeys that."""
    PRIVATE_ADDRESS = "private-address"
    """On this machine, in a private network or in a cloud's metadata: ALLOW_PRIVATE_ADDRESSES."""
    NO_SUCH_SCHEME = "no-such-scheme"
    """Neither http:, https: nor data:."""
    URL_TOO_LONG = "url-too-long"
    """An address above URLLENGTH_LIMIT, or a data: URI above DATA_URI_MAX."""
    NOT_ALLOWED = "not-allowed"
    """Another rule of the project's downloader middlewares forbids it."""
    DECORATION = "decoration"
    """An ornament of its page: a pixel, a line, a drawing (SVG, icon), by what the page says of it."""
    VIDEO = "video"
    """A post with a film, where pictures are wanted."""

    # failed
    TIMEOUT = "timeout"
    """No complete answer within DOWNLOAD_TIMEOUT seconds."""
    DNS = "dns"
    """The host name could not be resolved."""
    CONNECTION = "connection"
    """Refused, reset, or ended by a TLS or proxy error (but for the certificate)."""
    RATE_LIMITED = "rate-limited"
    """The host asks to wait longer than PAUSE_MAX seconds."""
    GIVEN_UP = "given-up"
    """The host refused again and again (429, 503): this crawl asks nothing more of it."""
    TOO_SLOW = "too-slow"
    """It came more slowly than DOWNLOAD_MIN_RATE bytes a second."""
    HEADERS_TOO_LARGE = "headers-too-large"
    """The head of the answer is larger than HEADERS_MAX_BYTES."""
    CERTIFICATE = "certificate"
    """The certificate of the host cannot be verified."""
    TOO_MANY_REDIRECTS = "too-many-redirects"
    """More than REDIRECT_MAX_TIMES."""
    BAD_URL = "bad-url"
    """Not an address that can be fetched."""
    EMPTY = "empty"
    """The host answered with success and no bytes."""
    NOT_AN_IMAGE = "not-an-image"
    """The bytes are no picture, whatever the header or the address says."""
    NOT_THE_FILE = "not-the-file"
    """A web page, or bytes of another kind, came where the file should be."""
    TRUNCATED = "truncated"
    """The picture, the file or the answer ends early."""
    BROKEN = "broken"
    """A picture or file by its first bytes that cannot be read as one."""
    STORE_ERROR = "store-error"
    """The store, or the ledger, did not take it: disk full, no permission, remote error."""
    STOPPED = "stopped"
    """The crawl was ended while it was under way."""
    ERROR = "error"
    """Something nobody foresaw; the log has its traceback."""
    REMOVED = "removed"
    """The picture of a post was taken away, by its author, the site or the host that had it."""
    PAGE_FAILED = "page-failed"
    """The page that shows it could not be read, and the listing did not say enough."""
    NO_URL = "no-url"
    """The page gave no address that may be used (a small copy only, with thumbnails=never or previews=never)."""


class Finish(StrEnum):
    """How a crawl ended: Scrapy's ``finish_reason``, as far as it is ours."""

    FINISHED = "finished"
    """It did what was asked; a shortfall is said in the summary."""

    ERROR = "error"
    """A spider failed in a way that nobody foresaw; the log has its traceback."""

    STORE_ERROR = "store-error"
    """The store took no more pictures: no permission, remote error."""

    DISK_FULL = "disk-full"
    """There is no room left for pictures, the ledger or a feed."""

    LEDGER_ERROR = "ledger-error"
    """The ledger could not be read or written any more."""

    FEED_ERROR = "feed-error"
    """A feed could not be written any more."""

    BLOCKED = "blocked"
    """The site refused to answer at least one page."""

    PAGE_CHANGED = "page-changed"
    """At least one page was of no shape that we can read."""

    UNREACHABLE = "unreachable"
    """The site could not be reached, or there is no browser."""

    NOTHING_STORED = "nothing-stored"
    """There were results, and not one of them could be stored."""

    NO_RESULTS = "no-results"
    """The site has nothing for at least one keyword."""


EXIT_CODES: dict[str, int] = {
    Finish.FINISHED: 0,
    Finish.ERROR: 1,
    Finish.BLOCKED: 3,
    Finish.PAGE_CHANGED: 4,
    Finish.UNREACHABLE: 5,
    Finish.NO_RESULTS: 6,
    Finish.NOTHING_STORED: 7,
    Finish.STORE_ERROR: 9,
    Finish.DISK_FULL: 10,
    Finish.LEDGER_ERROR: 11,
    Finish.FEED_ERROR: 12,
}
"""What ``scrapy crawl`` exits with. 1 (a crash at the start) and 2 (wrong arguments) are Scrapy's own."""

STOPPED_EARLY = 8
"""The exit code for any other finish reason: a signal (``shutdown``), ``closespider_...``, an error in ``start()``."""


def http_reason(status: int) -> str:
    """The reason for an answer with a status other than success (2xx).

    >>> http_reason(404)
    'http-404'
    """
    return f"http-{status}"
