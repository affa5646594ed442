from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler

import settings.base
from imagecrawl.items import ImageItem
from imagecrawl.pipelines.image_store import ImageStorePipeline
from tests.pipelines.network import Network

SECONDS = 30
"""What takes longer will never end."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def process(store: Path) -> Callable[..., list[ImageItem]]:
    """Process items at once in one pipeline: ``process(network, *items, SETTING=value)``."""

    def run(network: Network, *items: ImageItem, **changed: Any) -> list[ImageItem]:
        values = Settings()
        values.setmodule(settings.base)
        places = {"IMAGES_STORE": str(store), "LEDGER": str(store.parent / "ledger.sqlite3")}
        crawler = get_crawler(settings_dict={**values.copy_to_dict(), **places, **changed})
        crawler.spider = crawler._create_spider("test")
        crawler.engine = network  # type: ignore[assignment]

        async def scenario() -> list[ImageItem]:
            pipeline = build_from_crawler(ImageStorePipeline, crawler)
            pipeline.open_spider()
            try:
                done = await asyncio.wait_for(asyncio.gather(*map(pipeline.process_item, items)), SECONDS)
            finally:
                pipeline.memory.close()
            assert pipeline.spiderinfo.downloaded == {}
            assert not pipeline.spiderinfo.waiting
            assert not pipeline._turns
            return done

        return asyncio.run(scenario())

    return run
