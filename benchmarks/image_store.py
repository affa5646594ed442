"""Memory and speed of the picture pipeline beside Scrapy's own, with the network left out.

    python -m benchmarks.image_store                     # 20,000 small pictures: resident memory as they pass
    python -m benchmarks.image_store --size 1600x1200 --count 400    # photographs: pictures per second

Each pipeline runs in a process of its own, both store to a temporary folder on the same disk. Figures vary with the
machine; compare the two lines of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.signals import engine_stopped
from scrapy.utils.misc import build_from_crawler, load_object
from scrapy.utils.reactor import install_reactor
from scrapy.utils.test import get_crawler

PIPELINES = {
    "imagecrawl": "imagecrawl.pipelines.image_store.ImageStorePipeline",
    "scrapy": "scrapy.pipelines.images.ImagesPipeline",
}
AT_ONCE = 100  # Scrapy's CONCURRENT_ITEMS
SEED = 20261121


def jpeg(size: tuple[int, int]) -> bytes:
    noise = Image.frombytes("RGB", (64, 64), random.Random(SEED).randbytes(64 * 64 * 3)).resize(size)
    out = BytesIO()
    noise.save(out, "JPEG")
    return out.getvalue()


def numbered(body: bytes, number: int) -> bytes:
    """The same JPEG with other bytes: the number stands in a comment, so that making it costs nothing."""
    comment = str(number).encode()
    return body[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + body[2:]


def pictures(size: tuple[int, int]) -> Iterator[bytes]:
    """Distinct JPEGs without end."""
    body = jpeg(size)
    return (numbered(body, number) for number in itertools.count())


class Network:
    """Answers every request with the next picture."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.bodies = pictures(size)
        self.asked = 0

    async def download_async(self, request: Request) -> Response:
        self.asked += 1
        await asyncio.sleep(0)
        return Response(request.url, body=next(self.bodies))


def item(number: int, name: str, url: str = "https://img{}.pictures.example/1.jpg", keyword: str = "all") -> Any:
    from imagecrawl.items import ImageItem

    url = url.format(number)
    if name == "scrapy":
        return {"image_urls": [url], "images": []}
    return ImageItem(
        source="benchmark", keyword=keyword, rank=number, id=None, title=None, page_url=None, site=None,
        image_urls=[url], thumbnail_url=None, rights=None,
    )  # fmt: skip


def resident() -> float:
    """Resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def opened(name: str, network: Network, folder: str) -> AsyncIterator[Any]:
    """A pipeline that stores below ``folder`` and asks ``network``, with the project's settings."""
    values = Settings()
    values.setmodule("settings.base")
    places = {"IMAGES_STORE": f"{folder}/images", "LEDGER": f"{folder}/ledger.sqlite3"}
    crawler = get_crawler(settings_dict={**values.copy_to_dict(), **places, "MEMUSAGE_ENABLED": False})
    crawler.spider = crawler._create_spider("benchmark")
    crawler.engine = network  # type: ignore[assignment]
    pipeline = build_from_crawler(load_object(PIPELINES[name]), crawler)
    pipeline.open_spider()
    try:
        yield pipeline
    finally:
        await crawler.signals.send_catch_log_async(engine_stopped)


async def run(name: str, count: int, size: tuple[int, int], folder: str) -> None:
    async with opened(name, Network(size), folder) as pipeline:
        begun = time.perf_counter()
        marks = []
        for first in range(0, count, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            await asyncio.gather(*(pipeline.process_item(item(number, name)) for number in numbers))
            if (first + AT_ONCE) % (count // 4) < AT_ONCE:
                marks.append(f"{resident():.0f}")
        rate = count / (time.perf_counter() - begun)
    print(f"{name:<11} {rate:7.0f} pictures/s   MB resident after each quarter: {' '.join(marks)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--size", default="64x64", help="pixels, such as 1600x1200")
    parser.add_argument("--pipeline", choices=PIPELINES, help="only this one, in this process")
    options = parser.parse_args()
    if not options.pipeline:
        for name in PIPELINES:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.image_store", *sys.argv[1:], "--pipeline", name], check=True
            )
        return
    width, height = map(int, options.size.split("x"))
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options.pipeline, options.count, (width, height), folder))


if __name__ == "__main__":
    main()
