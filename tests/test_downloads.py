"""The places of downloads: few for each host, and few in all that only those hold whose host may be asked."""

from __future__ import annotations

import asyncio

from scrapy import Request
from scrapy.utils.test import get_crawler

from imagecrawl.downloads import Downloads


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crawl:
    def __init__(self, *, at_once: int, per_host: int) -> None:
        settings = {"CONCURRENT_REQUESTS": at_once, "CONCURRENT_REQUESTS_PER_DOMAIN": per_host}
        self.downloads = Downloads(get_crawler(settings_dict=settings), accept="*/*", max_bytes=1)
        self.begun: list[str] = []
        self.sent: list[str] = []

    async def get(self, url: str, pause: asyncio.Event, ended: asyncio.Event) -> None:
        """Hold a slot until ``ended``, and its place from the end of the ``pause`` on."""
        request = Request(url)
        async with self.downloads.slot(request):
            self.begun.append(url)
            await pause.wait()
            await request.meta["place"].take()
            self.sent.append(url)
            await ended.wait()


def event(*, is_set: bool) -> asyncio.Event:
    made = asyncio.Event()
    if is_set:
        made.set()
    return made


def test_hosts_that_pause_keep_no_others_waiting() -> None:
    async def work() -> None:
        crawl = Crawl(at_once=2, per_host=4)
        pause, ended = event(is_set=False), event(is_set=False)
        going = [asyncio.ensure_future(crawl.get(f"https://{n}.example/", pause, ended)) for n in range(5)]
        await turns()
        await asyncio.wait_for(crawl.get("https://quick.example/", event(is_set=True), event(is_set=True)), 1)
        assert crawl.sent == ["https://quick.example/"]
        pause.set()
        await turns()
        assert len(crawl.sent) == 3  # two at once
        going[0].cancel()
        await turns()
        assert len(crawl.sent) == 4
        ended.set()
        await asyncio.wait(going, timeout=1)
        assert len(crawl.sent) == 6 and not crawl.downloads._places.locked()

    asyncio.run(work())


def test_the_places_of_a_host_are_those_of_all_its_spellings() -> None:
    async def work() -> None:
        crawl = Crawl(at_once=9, per_host=1)
        urls = ["https://a.example/", "https://A.example:443/", "http://a.example./", "https://a.example:8443/"]
        ended = event(is_set=False)
        going = [asyncio.ensure_future(crawl.get(url, event(is_set=True), ended)) for url in urls]
        await turns()
        assert crawl.begun == [urls[0], urls[3]]
        ended.set()
        await asyncio.wait(going, timeout=1)
        assert len(crawl.sent) == 4

    asyncio.run(work())
