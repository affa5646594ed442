"""A spider for ``scrapy runspider``: asks for addresses, and prints a line of JSON on what came of each."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

from scrapy import FormRequest, Request
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from imagecrawl.spider import ERROR_STATUSES, MediaSpider

TOKEN_URL = "https://www.reddit.com/api/v1/access_token"


class AskingSpider(MediaSpider):
    """``urls`` go by the scheduler, ``media`` straight to the downloader; ``token``: with permission for the API."""

    name = "asking"
    custom_settings = {"ROBOTSTXT_OBEY": False}  # noqa: RUF012  # that of reddit.com forbids all
    handle_httpstatus_list = ERROR_STATUSES
    urls = media = token = ""

    def item_settled(self, item: Any) -> None:
        pass

    async def start(self) -> AsyncIterator[Request]:
        with self.interruptible():
            headers = await self.permission() if self.token else {}
            for url in self.urls.split():
                yield Request(url, headers=headers, errback=self.failed)
            await asyncio.gather(*(self.fetch(url, headers) for url in self.media.split()))

    async def permission(self) -> dict[str, str]:
        secret = base64.b64encode(b"replica-id:replica-secret").decode()
        form = {"grant_type": "client_credentials"}
        asked = FormRequest(TOKEN_URL, formdata=form, headers={"Authorization": f"Basic {secret}"})
        answer = await self.crawler.engine.download_async(asked.replace(callback=NO_CALLBACK))
        return {"Authorization": f"bearer {answer.json()['access_token']}"}

    async def fetch(self, url: str, headers: dict[str, str]) -> None:
        say(url, (await self.crawler.engine.download_async(Request(url, headers=headers, callback=NO_CALLBACK))).status)

    def parse(self, response: Response) -> None:
        say(response.url, response.status)

    def failed(self, failure: Failure) -> None:
        say(failure.request.url, f"{type(failure.value).__name__}: {failure.value}")


def say(url: str, answer: int | str) -> None:
    print(json.dumps({"url": url, "answer": answer}), flush=True)
