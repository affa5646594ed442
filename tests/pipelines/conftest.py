from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from scrapy.settings import Settings
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

import settings.base
from imagecrawl.items import FileItem, ImageItem
from imagecrawl.pipelines.file_store import FileStorePipeline
from imagecrawl.pipelines.image_store import ImageStorePipeline
from tests.pipelines.network import Network

SECONDS = 30
"""What takes longer will never end."""

PIPELINES = (ImageStorePipeline, FileStorePipeline)
"""In the order of the project: every item goes through both."""

Item = TypeVar("Item", ImageItem, FileItem)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of pictures."""
    return tmp_path / "images"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The folder of files."""
    return tmp_path / "files"


@pytest.fixture
def process(tmp_path: Path, store: Path, shelf: Path) -> Callable[..., list[Item]]:
    """Process items at once, as one crawl would: ``process(network, *items, SETTING=value)``."""

    def run(network: Network, *items: Item, pipelines: Sequence[Any] = PIPELINES, **changed: Any) -> list[Item]:
        values = Settings()
        values.setmodule(settings.base)
        places = {"IMAGES_STORE": str(store), "FILES_STORE": str(shelf), "LEDGER": str(tmp_path / "ledger.sqlite3")}
        crawler = get_crawler(settings_dict={**values.copy_to_dict(), **places, **changed})
        crawler.spider = crawler._create_spider("test")
        crawler.engine = network  # type: ignore[assignment]
        network.stats = crawler.stats

        async def scenario() -> list[Item]:
            built = [build_from_crawler(pipeline, crawler) for pipeline in pipelines]
            for pipeline in built:
                pipeline.open_spider()

            async def through_all(item: Item) -> Item:
                for pipeline in built:
                    item = await pipeline.process_item(item)
                return item

            try:
                done = await asyncio.wait_for(asyncio.gather(*map(through_all, items)), SECONDS)
            finally:
                built[0].memory.close()
            for pipeline in built:
                assert pipeline.spiderinfo.downloaded == {}
                assert not pipeline.spiderinfo.waiting
                assert not pipeline._turns
            return done

        return asyncio.run(scenario())

    return run
