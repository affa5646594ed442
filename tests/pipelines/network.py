"""A stand-in for the engine, for what a real crawl reaches only by luck; the rest of a pipeline is real."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from PIL import Image
from scrapy import Request
from scrapy.http import Response
from scrapy.statscollectors import StatsCollector

from imagecrawl.items import FileItem, ImageItem


def picture(color: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def paper(text: str = "one") -> bytes:
    """A PDF, as far as it is looked at."""
    return f"%PDF-1.4\n{text}\nstartxref\n9\n%%EOF\n".encode()


class Network:
    """Answers in place of the engine, from a dictionary; keeps what it was asked, and the stats of the last crawl."""

    stats: StatsCollector
    _slot = SimpleNamespace(closing=None)

    def __init__(self, answers: Mapping[str, bytes | Exception | int | Response]) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.closed: list[str] = []

    async def close_spider_async(self, reason: str) -> None:
        self.closed.append(reason)

    async def download_async(self, request: Request) -> Response:
        self.asked[request.url] += 1
        self.requests.append(request)
        if place := request.meta.get("place"):
            await place.take()  # as PausesMiddleware does
        await asyncio.sleep(0)
        answer = self.answers[request.url]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            answer = Response(request.url, status=answer)
        if isinstance(answer, bytes):
            answer = Response(request.url, body=answer)
        answer.request = answer.request or request
        return answer


def item(*urls: str, keyword: str = "cats", thumbnail_url: str | None = None) -> ImageItem:
    return ImageItem(
        source="test", keyword=keyword, rank=1, id=None, title=None, page_url=None, site=None, image_urls=list(urls),
        thumbnail_url=thumbnail_url, rights=None,
    )  # fmt: skip


def file_item(
    *urls: str, name: str = "0625_w19_qp_11.pdf", folder: Sequence[str] = ("caie", "physics-0625"), **others: Any
) -> FileItem:
    given = {"board": "CAIE", "level": "IGCSE", "subject": "Physics", "code": "0625", "session": None, "year": 2019}
    given |= {"type": "qp", "paper": 1, "variant": 1, "label": None, "page_url": "https://page.example/"}
    return FileItem(source="test", folder=list(folder), name=name, file_urls=list(urls), **{**given, **others})
