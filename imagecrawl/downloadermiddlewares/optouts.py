"""Pictures and files that are not meant for training are not kept, and what is said of being used is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.http import HtmlResponse

from imagecrawl.failures import OPT_OUT, RequestRefusedError
from imagecrawl.optouts import HEAD_MAX, OptOuts, merged, of_headers, of_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class OptOutsMiddleware:
    """Puts into ``meta["opt_outs"]`` of every answer what was said of what it holds: see :mod:`imagecrawl.optouts`.

    That is what stands there before (of robots.txt: RobotsTxtMiddleware), what the headers say, and of a page its
    ``meta`` elements. What a redirect says counts for where it leads; answers with an error (from 400) say nothing of
    what is not there.

    A page is read whatever it says, and its pictures are the spider's and the pipeline's matter. A request with
    ``meta["obey_opt_outs"]`` is for a picture or file: it fails with RequestRefusedError when any of that is obeyed,
    before anything is asked of the host if that is known already.

    Settings: ``OPT_OUT_...``, one for each :class:`~imagecrawl.optouts.Signal`; ``ROBOTSTXT_USER_AGENT``, our product
    token.
    """

    def __init__(self, policy: OptOuts, agent: str) -> None:
        self.policy = policy
        self.agent = agent

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(OptOuts(crawler.settings), crawler.settings["ROBOTSTXT_USER_AGENT"])
        crawler.signals.connect(middleware.answered, signals.response_downloaded)
        return middleware

    def process_request(self, request: Request) -> None:
        self._obey(request)

    def answered(self, response: Response, request: Request) -> None:
        """Hear any answer, at once: those of redirects come no further than to RedirectMiddleware."""
        if response.status < 400:
            self._hear(request, of_headers(_headers(response), self.agent))

    def process_response(self, request: Request, response: Response) -> Response:
        self.answered(response, request)  # what comes from a cache was not downloaded
        if response.status < 400 and isinstance(response, HtmlResponse) and not request.meta.get("obey_opt_outs"):
            self._hear(request, of_page(_head(response), self.agent))
        self._obey(request)
        return response

    def _hear(self, request: Request, found: dict[str, str]) -> None:
        request.meta["opt_outs"] = merged(request.meta.get("opt_outs"), found)  # another one: redirects have the same

    def _obey(self, request: Request) -> None:
        found = request.meta.get("opt_outs", {})
        if request.meta.get("obey_opt_outs") and (obeyed := self.policy.forbids(found)):
            raise RequestRefusedError("; ".join(obeyed.values()), OPT_OUT, found)


def _headers(response: Response) -> Iterator[tuple[str, str]]:
    for name, values in response.headers.items():
        for value in values:
            yield name.decode("latin-1"), value.decode("latin-1")


def _head(response: HtmlResponse) -> str:
    """The beginning of a page: of a large one, all else would be decoded for nothing."""
    beginning = response.body[:HEAD_MAX]
    try:
        return HtmlResponse(response.url, headers=response.headers, body=beginning).text
    except (LookupError, UnicodeError):  # in an encoding that Python knows by name only
        return beginning.decode("latin-1")
