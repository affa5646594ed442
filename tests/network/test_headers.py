"""How much of a head is taken."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.exceptions import DownloadFailedError
from twisted.internet.testing import StringTransport
from twisted.web._newclient import Request as TxRequest
from twisted.web._newclient import ResponseFailed
from twisted.web.http_headers import Headers

from imagecrawl.failures import HEADERS_TOO_LARGE
from imagecrawl.network.headers import BoundedFactory, too_large_head

STATUS = b"HTTP/1.1 200 OK\r\n"


class Connection:
    """One request, and what came of it."""

    def __init__(self, head_max: int) -> None:
        self.protocol = BoundedFactory(head_max, lambda _: None, "").buildProtocol(None)
        self.transport = StringTransport()
        self.transport.abortConnection = self.transport.loseConnection  # type: ignore[method-assign]
        self.protocol.makeConnection(self.transport)
        self.ends: list[Any] = []
        self.ask()

    def ask(self) -> None:
        asked = TxRequest(b"GET", b"/", Headers({b"Host": [b"a.example"]}), None, persistent=True)
        self.protocol.request(asked).addBoth(self.ends.append)

    def failed(self) -> bool:
        """Whether the connection was given up, for the size of the head."""
        if not self.ends:
            return False
        error = self.ends[0].value
        assert isinstance(error, ResponseFailed) and self.transport.disconnecting
        wrapped = DownloadFailedError()
        wrapped.__cause__ = error
        refused = too_large_head(wrapped)
        assert refused and refused.failure is HEADERS_TOO_LARGE and "HEADERS_MAX_BYTES (100 bytes)" in str(refused)
        return True


def line(size: int) -> bytes:
    """A header of so many bytes."""
    return b"X: " + b"x" * (size - 5) + b"\r\n"


@pytest.mark.parametrize("step", [1, 7, 1000])
@pytest.mark.parametrize(("size", "is_too_large"), [(81, False), (82, True), (500, True)])
@pytest.mark.parametrize("parts", [1, 3])
def test_the_bound_is_met_to_the_byte(size: int, is_too_large: bool, parts: int, step: int) -> None:
    """17 bytes of status, so many of headers, 2 at the end; what follows is the body and does not count."""
    assert len(STATUS) == 17
    lines = b"".join(line(size // parts + (size % parts if not number else 0)) for number in range(parts))
    sent = STATUS + lines + b"\r\n" + bytes(1000)
    connection = Connection(100)
    for start in range(0, len(sent), step):
        if not connection.transport.disconnecting:
            connection.protocol.dataReceived(sent[start : start + step])
    assert connection.failed() is is_too_large if is_too_large else connection.ends[0].code == 200


def test_a_line_that_does_not_end_is_not_kept() -> None:
    connection = Connection(100)
    connection.protocol.dataReceived(STATUS + b"X: ")
    connection.protocol.dataReceived(b"x" * 98)
    assert connection.failed()


def test_what_comes_before_the_answer_counts() -> None:
    connection = Connection(100)
    for _ in range(4):
        connection.protocol.dataReceived(b"HTTP/1.1 103 Early\r\n\r\n")
    assert not connection.ends
    connection.protocol.dataReceived(b"HTTP/1.1 103 Early\r\n\r\n")
    assert connection.failed()


def test_every_answer_of_a_connection_has_the_whole_bound() -> None:
    connection = Connection(100)
    for number in range(5):
        connection.protocol.dataReceived(STATUS + line(40) + b"Content-Length: 0\r\n\r\n")
        assert [end.code for end in connection.ends] == [200] * (number + 1)
        connection.ask()


def test_0_is_no_bound() -> None:
    connection = Connection(0)
    connection.protocol.dataReceived(STATUS + line(1_000_000) + b"\r\n")
    assert connection.ends[0].code == 200


def test_other_troubles_are_no_matter_of_the_head() -> None:
    assert too_large_head(DownloadFailedError()) is None
    assert too_large_head(OSError()) is None
