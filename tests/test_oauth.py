"""An app's token: asked for when one is needed, used until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TypeVar

import pytest
from scrapy import Request
from scrapy.http import Response

from imagecrawl import oauth
from imagecrawl.exceptions import Obstacle, PageBlockedError
from imagecrawl.oauth import AppAccess

URL = "https://interface.example/"

T = TypeVar("T")


@dataclass
class Token:
    value: str
    lifetime: float


class Site:
    """Gives the tokens 1, 2, 3 and so on, and answers 401 to those it has withdrawn."""

    def __init__(self, lifetime: float = 3600) -> None:
        self.lifetime = lifetime
        self.now = 1000.0
        self.slowness = 0.0
        """Seconds until it gives a token."""
        self.issued = 0
        self.withdrawn: set[str] = set()
        self.asked: list[Request] = []
        self.refusal: Exception | None = None
        self.access = AppAccess(self.answer, self.issue)

    async def issue(self) -> Token:
        if self.refusal:
            raise self.refusal
        self.issued += 1
        self.now += self.slowness
        return Token(str(self.issued), self.lifetime)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(request.url, status=401 if self.tokens[-1] in self.withdrawn else 200)

    @property
    def tokens(self) -> list[str]:
        """Those it was asked with."""
        said = [(request.headers["Authorization"] or b"").decode() for request in self.asked]
        assert all(words.startswith("bearer ") for words in said)
        return [words.removeprefix("bearer ") for words in said]

    def ask(self, *urls: str) -> list[int]:
        """The statuses of its answers."""

        async def all_of_them() -> list[int]:
            return [(await self.access.ask(Request(url))).status for url in urls or [URL]]

        return run(all_of_them())


def run(work: Awaitable[T]) -> T:
    async def waited() -> T:
        return await work

    return asyncio.run(waited())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site by whose clock the tokens end."""
    site = Site()
    monkeypatch.setattr(oauth, "time", SimpleNamespace(monotonic=lambda: site.now))
    return site


def test_nothing_is_asked_for_before_it_is_needed(site: Site) -> None:
    assert (site.issued, site.asked) == (0, [])


def test_one_token_is_used_for_several_requests(site: Site) -> None:
    assert site.ask(URL, f"{URL}2", f"{URL}3") == [200, 200, 200]
    assert site.tokens == ["1", "1", "1"]
    assert [request.url for request in site.asked] == [URL, f"{URL}2", f"{URL}3"]


@pytest.mark.parametrize(("lifetime", "used"), [(3600, 3540), (86_400, 86_340), (600, 540), (100, 90), (1, 0.9)])
def test_a_token_is_renewed_shortly_before_its_end(site: Site, lifetime: float, used: float) -> None:
    site.lifetime = lifetime
    begun = site.now
    site.ask()
    site.now = begun + used - 0.01
    site.ask()
    site.now = begun + used
    site.ask(URL, URL)
    assert site.tokens == ["1", "1", "2", "2"]


def test_the_time_that_a_token_takes_is_part_of_its_life(site: Site) -> None:
    site.slowness = 40
    begun = site.now
    site.ask()
    site.now = begun + 3540
    site.ask()
    assert site.tokens == ["1", "2"]


def test_a_token_that_is_refused_before_its_end_is_renewed(site: Site) -> None:
    site.ask()
    site.withdrawn = {"1"}
    assert site.ask(URL, URL) == [200, 200]
    assert site.tokens == ["1", "1", "2", "2"]


def test_a_new_token_that_is_refused_too_is_the_answer(site: Site) -> None:
    site.withdrawn = {"1", "2"}
    assert site.ask() == [401]
    assert site.tokens == ["1", "2"]
    assert site.ask() == [200]
    assert site.tokens == ["1", "2", "2", "3"]


@pytest.mark.parametrize("status", [200, 302, 403, 404, 429, 500])
def test_any_other_answer_is_given_as_it_is(status: int) -> None:
    site = Site()
    given = Response(URL, status=status, body=b"x")

    async def answer(request: Request) -> Response:
        return given

    assert run(AppAccess(answer, site.issue).ask(Request(URL))) is given
    assert site.issued == 1


def test_the_request_is_sent_as_it_was_given(site: Site) -> None:
    given = Request(URL, method="POST", headers={"Accept": "*/*"}, body=b"x", cookies={"a": "b"}, meta={"mark": 1})
    before = given.to_dict()
    run(site.access.ask(given))
    assert given.to_dict() == before
    [sent] = site.asked
    assert "Authorization" in sent.headers
    del sent.headers["Authorization"]
    assert sent.to_dict() == before


def test_who_gets_no_token_does_not_ask(site: Site) -> None:
    site.refusal = PageBlockedError(Obstacle.CREDENTIALS, "no token")
    with pytest.raises(PageBlockedError, match="no token"):
        site.ask()
    assert site.asked == []
    site.refusal = None
    assert site.ask() == [200]


def test_a_token_that_cannot_be_renewed_is_not_used_again(site: Site) -> None:
    site.ask()
    site.withdrawn = {"1"}
    site.refusal = PageBlockedError(Obstacle.RATE_LIMITED, "later")
    for _ in range(2):
        with pytest.raises(PageBlockedError, match="later"):
            site.ask()
    assert site.tokens == ["1", "1"]


def test_what_happens_to_a_request_is_raised() -> None:
    async def answer(request: Request) -> Response:
        raise PageBlockedError(Obstacle.UNREACHABLE, "nobody there")

    with pytest.raises(PageBlockedError, match="nobody there"):
        run(AppAccess(answer, Site().issue).ask(Request(URL)))
