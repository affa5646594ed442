"""Which keywords are open when, as others hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from imagecrawl import signals
from imagecrawl.keywords import Keywords

SECONDS = 5
"""What takes longer will never end."""

Story = Callable[[Keywords, list[str]], Awaitable[None]]


def told(story: Story) -> list[str]:
    """What is heard of the keywords in the course of a story."""
    heard: list[str] = []

    def send(signal: object, keyword: str, **_: Any) -> None:
        heard.append(f"{'open' if signal is signals.keyword_opened else 'closed'} {keyword}")

    crawler: Any = SimpleNamespace(signals=SimpleNamespace(send_catch_log=send), engine=None)

    async def run() -> None:
        await asyncio.wait_for(story(Keywords(crawler), heard), SECONDS)

    asyncio.run(run())
    return heard


def test_a_keyword_is_open_from_its_first_item_until_all_have_their_outcome() -> None:
    async def story(keywords: Keywords, heard: list[str]) -> None:
        keywords.go_on("cats")
        assert heard == []
        keywords.take()
        keywords.take()
        assert heard == ["open cats"]
        keywords.go_on("dogs")
        keywords.settle("cats")
        await asyncio.sleep(0)
        assert heard == ["open cats"]
        keywords.settle("cats")
        assert heard == ["open cats"]
        await asyncio.sleep(0)
        assert heard == ["open cats", "closed cats"]
        await keywords.end()

    assert told(story) == ["open cats", "closed cats"]


def test_a_keyword_that_is_the_current_one_stays_open() -> None:
    async def story(keywords: Keywords, heard: list[str]) -> None:
        keywords.go_on("cats")
        keywords.take()
        keywords.settle("cats")
        await asyncio.sleep(0)
        assert heard == ["open cats"]
        await keywords.end()

    assert told(story) == ["open cats", "closed cats"]


def test_a_keyword_may_be_opened_again() -> None:
    async def story(keywords: Keywords, _: list[str]) -> None:
        for keyword in ("cats", "dogs", "cats"):
            keywords.go_on(keyword)
            keywords.open()
        await keywords.end()

    assert told(story) == ["open cats", "closed cats", "open dogs", "closed dogs", "open cats", "closed cats"]


def test_the_end_waits_for_every_outcome() -> None:
    async def story(keywords: Keywords, heard: list[str]) -> None:
        for keyword in ("cats", "dogs"):
            keywords.go_on(keyword)
            keywords.take()
        end = asyncio.ensure_future(keywords.end())
        await asyncio.sleep(0.01)
        keywords.settle("dogs")
        await asyncio.sleep(0.01)
        assert not end.done()
        assert heard[2:] == ["closed dogs"]
        keywords.settle("cats")
        await end

    assert told(story) == ["open cats", "open dogs", "closed dogs", "closed cats"]


def test_items_whose_keyword_a_pipeline_changed_are_settled_all_the_same() -> None:
    async def story(keywords: Keywords, _: list[str]) -> None:
        for keyword in ("cats", "dogs"):
            keywords.go_on(keyword)
            keywords.take()
            keywords.take()
        settled = [keywords.settle(keyword) for keyword in ("CATS", "DOGS", "dogs", "")]
        assert settled == ["cats", "cats", "dogs", "dogs"]
        await keywords.end()

    assert sorted(told(story)) == ["closed cats", "closed dogs", "open cats", "open dogs"]
