"""Which hosts are asked for no further page; walks through them are in ``tests/spiders/test_site.py``."""

from __future__ import annotations

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError
from imagecrawl.hosts import Hosts
from imagecrawl.spider import FAILURES_MAX

GIVEN_UP = PageBlockedError(Obstacle.GIVEN_UP, "a.example refused 5 times in a row (503)")


def test_hosts_are_told_apart_whatever_their_port_and_login() -> None:
    hosts = Hosts()
    hosts.fail("https://User:secret@A.example:8443/1", GIVEN_UP)
    assert hosts.given_up == {"a.example": Obstacle.GIVEN_UP}
    assert hosts.leaves_out("http://a.example/2") and not hosts.leaves_out("https://www.a.example/2")
    assert hosts.left_out == {"a.example": 1}


def test_of_a_host_that_is_asked_no_more_a_failure_of_another_kind_is_still_news() -> None:
    hosts = Hosts()
    hosts.fail("https://a.example/1", GIVEN_UP)
    assert hosts.leaves_out("https://a.example/2", GIVEN_UP)  # asked for before that was known
    assert not hosts.leaves_out("https://a.example/3", PageChangedError("no HTML"))
    assert hosts.left_out == {"a.example": 1}


def test_the_first_reason_is_the_one() -> None:
    hosts = Hosts()
    for _ in range(FAILURES_MAX):
        hosts.fail("https://a.example/", PageChangedError("no HTML"))
    hosts.fail("https://a.example/", GIVEN_UP)
    assert hosts.given_up == {"a.example": Obstacle.CHANGED}
