"""The finish reason that a crawl's stats tell."""

import pytest
from scrapy.utils.test import get_crawler

from imagecrawl.exceptions import Obstacle
from imagecrawl.extensions.finish import finish_reason
from imagecrawl.outcomes import EXIT_CODES, Finish


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        ({}, "nothing-stored"),
        ({"pages/failed/no-results": 1}, "no-results"),
        ({"images/stored": 3, "images/failed": 2}, "finished"),
        ({"images/uptodate": 3}, "finished"),
        ({"images/failed": 2, "images/refused": 1, "images/duplicate": 1}, "nothing-stored"),
        ({"pages/failed/no-results": 1, "images/stored": 3}, "no-results"),
        ({"pages/failed/no-results": 1, "images/failed": 3}, "nothing-stored"),
        ({"pages/failed/unreachable": 1, "images/failed": 3}, "unreachable"),
        ({"pages/failed/no-browser": 1}, "unreachable"),
        ({"pages/failed/changed": 1, "pages/failed/unreachable": 1}, "page-changed"),
        ({"pages/failed/captcha": 1, "pages/failed/changed": 1, "images/stored": 3}, "blocked"),
        ({"spider_exceptions/count": 1, "pages/failed/captcha": 1}, "error"),
        ({"files/stored": 3, "files/failed": 2}, "finished"),
        ({"files/uptodate": 3}, "finished"),
        ({"files/listed": 3}, "finished"),
        ({"files/failed": 2}, "nothing-stored"),
        ({"files/failed": 2, "files/refused": 1, "files/duplicate": 1}, "nothing-stored"),
        ({"files/failed": 2, "images/stored": 1}, "finished"),
        ({"images/failed": 2, "files/stored": 1}, "finished"),
        ({"pages/failed/no-results": 1, "files/listed": 3}, "no-results"),
        ({"pages/failed/no-results": 1, "files/failed": 3}, "nothing-stored"),
        ({"pages/failed/certificate": 1, "files/stored": 3}, "unreachable"),
    ],
)
def test_the_worst_decides(stats: dict[str, int], reason: str) -> None:
    crawler = get_crawler()
    for name, value in stats.items():
        crawler.stats.set_value(name, value)
    assert finish_reason(crawler.stats) == reason


@pytest.mark.parametrize("obstacle", Obstacle)
def test_every_obstacle_ends_a_crawl_with_an_error(obstacle: Obstacle) -> None:
    crawler = get_crawler()
    crawler.stats.set_value(f"pages/failed/{obstacle}", 1)
    code = EXIT_CODES[finish_reason(crawler.stats)]
    assert code > 2 or (obstacle is Obstacle.ERROR and code == 1)


def test_every_finish_reason_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT_CODES) == set(Finish)
    assert len(set(EXIT_CODES.values())) == len(Finish)
