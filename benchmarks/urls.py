"""What `scrapy crawl urls` costs: pictures a second, memory and open files, by the length and the kind of the list.

    python -m benchmarks.urls                                          # all lists, up to 100,000 lines: an hour
    python -m benchmarks.urls --lines 1000,10000 --rounds 3 --lists hundred,https

Every crawl is the program itself with the project's settings, in a process and for a folder of its own. The pictures,
JPEGs of 5 KB and no two the same, lie on hosts that are one server on this machine: it is the crawl's proxy, and ends
TLS itself. No host has a robots.txt (404). Each list is crawled three times: ``new``, with nothing in place; ``known``,
the same command again, all of it in place; ``listed``, with ``download=0`` and nothing in place. Rates are over the
whole life of the process, its start of a second or two included; peaks are the kernel's own (``VmHWM``).
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from urllib.request import ProxyHandler, build_opener

from benchmarks.lists import CAPTION

HOSTS = 100
"""On which the pictures lie, but for lists with a host of its own for each line."""

URL = "{}://img{}.pictures.example/wp-content/uploads/2026/11/a-picture-of-something-{:08}-1920x1280.jpg"
"""About 100 characters, as addresses of pictures are."""

SIZE = (96, 96)
SAMPLES = 0.1
"""Seconds from one look at the memory to the next."""

ASKED = "http://server.example/asked"
"""How many pictures the server was asked for."""

NUMBER = re.compile(rb"-(\d{8})-[^/]*\.jpg$")


@dataclass(frozen=True)
class Kind:
    """Of lists: what keyword a line has, and on which host its picture lies."""

    keyword: Callable[[int], str]
    host: Callable[[int], int] = lambda number: number % HOSTS
    scheme: str = "http"
    name: str = "list.csv"


def _hundred(number: int) -> str:
    return f"keyword {number // 10 % 100}"


def _own(number: int) -> int:
    return number


KINDS = {
    "one": Kind(lambda _: "cats"),
    "hundred": Kind(_hundred),
    "each": Kind(lambda number: f"keyword {number}"),  # a keyword of its own for each line
    "packed": Kind(_hundred, name="list.jsonl.gz"),
    "hosts": Kind(_hundred, _own),  # a host of its own for each line
    "https": Kind(_hundred, _own, "https"),
}

PASSES = {"new": "stored", "known": "uptodate", "listed": "listed"}
"""The outcome of every line."""


def rows(kind: Kind, count: int) -> Iterator[tuple[str, str, str]]:
    for number in range(count):
        yield kind.keyword(number), URL.format(kind.scheme, kind.host(number), number), CAPTION.format(number)


def write(kind: Kind, count: int, path: Path) -> None:
    columns = ("keyword", "url", "caption")
    if path.suffix == ".gz":
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows(kind, count))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows(kind, count)])


class Server(asyncio.Protocol):
    """One connection to the hosts of all pictures: as much of HTTP as a proxy is asked."""

    asked = 0
    picture: Callable[[int], bytes]
    tls: ssl.SSLContext

    def __init__(self) -> None:
        self.received = b""
        self.upgrading: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received and not self.upgrading:
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            method, url, _ = head.split(b" ", 2)
            if method == b"CONNECT":
                self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
                self.upgrading = asyncio.create_task(self.upgrade())
            else:
                self.transport.write(self.answer(url))

    async def upgrade(self) -> None:
        """Go on in TLS. The first request inside of it may be there before this one ends."""
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(self.transport, self, Server.tls, server_side=True)
        assert transport
        self.transport, self.upgrading = transport, None
        self.data_received(b"")

    def answer(self, url: bytes) -> bytes:
        if found := NUMBER.search(url):
            Server.asked += 1
            return _answer(b"200 OK", b"image/jpeg", Server.picture(int(found[1])))
        if url == ASKED.encode():
            return _answer(b"200 OK", b"text/plain", b"%d" % Server.asked)
        return _answer(b"404 Not Found", b"text/plain", b"There is nothing here.\n")


def _answer(status: bytes, kind: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body)


async def serve(trusted: Path) -> None:
    """Say the port, and answer until the process ends. Who is to trust us, reads ``trusted``."""
    import trustme

    from benchmarks.image_store import jpeg, numbered

    Server.picture = partial(numbered, jpeg(SIZE))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(trusted, append=True)
    Server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("*.pictures.example").configure_cert(Server.tls)
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[dict[str, str]]:
    """A server in a process of its own, as the environment of who is to use it: its authority is one of many."""
    import certifi

    with tempfile.TemporaryDirectory() as folder:
        trusted = Path(folder, "authorities.pem")
        trusted.write_bytes(Path(certifi.where()).read_bytes())
        command = [sys.executable, "-m", "benchmarks.urls", "--serve", str(trusted)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout
                proxy = f"http://127.0.0.1:{int(server.stdout.readline())}"
                yield {"http_proxy": proxy, "https_proxy": proxy, "SSL_CERT_FILE": str(trusted)}
            finally:
                server.terminate()


def asked(server: dict[str, str]) -> int:
    with build_opener(ProxyHandler({"http": server["http_proxy"]})).open(ASKED) as answer:
        return int(answer.read())


@dataclass
class Crawl:
    """What one crawl has cost."""

    seconds: float = 0.0
    peak: float = 0.0
    """MB, of the whole crawl."""
    files: int = 0
    """The most open files, connections included, that were seen."""
    memory: list[tuple[int, float]] = field(default_factory=list)
    """Results in the feed, and MB resident then."""

    def look(self, pid: int, lines: Lines) -> None:
        """Unless it has ended: ``ru_maxrss`` would tell the peak afterwards, but never less than that of its parent."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines())
        with suppress(OSError, KeyError):
            self.peak = int(status["VmHWM"].split()[0]) / 1024
            self.memory.append((lines.count(), int(status["VmRSS"].split()[0]) / 1024))
            self.files = max(self.files, len(list(Path(f"/proc/{pid}/fd").iterdir())))

    def quarters(self, count: int) -> list[float]:
        """MB resident when a quarter of the list was in the feed, a half, ..."""
        return [
            next((mb for done, mb in self.memory if done >= share * count / 4), self.memory[-1][1])
            for share in range(1, 5)
        ]


def crawl(arguments: list[str], data: Path, server: dict[str, str]) -> Crawl:
    """Crawl into the folder ``data``; raises when that ends with an exit code other than 0."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"IMAGECRAWL_DATA": str(data), **server}
    command = [sys.executable, "-m", "scrapy", "crawl", "urls", *arguments]
    found = Crawl()
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        lines = Lines(data)
        ended = False
        while not ended:
            time.sleep(SAMPLES)
            found.look(process.pid, lines)
            ended = process.poll() is not None
        found.seconds = time.perf_counter() - begun
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"exit code {process.returncode}\n{errors.read().decode()[-5000:]}")
    return found


class Lines:
    """Counts the lines of the one feed in a folder, as it grows."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.before = set(feeds(data))
        self.counted = self.read = 0

    def count(self) -> int:
        for feed in set(feeds(self.data)) - self.before:
            with feed.open("rb") as file:
                file.seek(self.read)
                while block := file.read(1 << 20):
                    self.read += len(block)
                    self.counted += block.count(b"\n")
        return self.counted


def feeds(data: Path) -> list[Path]:
    return sorted(data.glob("feeds/urls/*.jsonl"))


def outcomes(feed: Path) -> Counter[str]:
    with feed.open(encoding="utf-8") as file:
        return Counter(json.loads(line)["outcome"] for line in file)


def measure(kind: Kind, count: int, folder: str, server: dict[str, str]) -> dict[str, Crawl]:
    """The three crawls of one list."""
    found = {}
    with tempfile.TemporaryDirectory(dir=folder) as place, tempfile.TemporaryDirectory(dir=folder) as empty:
        path = Path(place, kind.name)
        write(kind, count, path)
        for each, outcome in PASSES.items():
            data = Path(empty if each == "listed" else place, "data")
            before = asked(server)
            found[each] = crawl([f"-afile={path}", *["-adownload=0"] * (each == "listed")], data, server)
            assert outcomes(feeds(data)[-1]) == {outcome: count}, (each, outcomes(feeds(data)[-1]))
            assert asked(server) - before == count * (each == "new"), (each, asked(server) - before)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", default="1000,10000,100000", help="lengths, with commas between")
    parser.add_argument("--lists", default=",".join(KINDS), help=f"kinds, with commas between: {', '.join(KINDS)}")
    parser.add_argument("--rounds", type=int, default=1, help="so often each; figures are medians")
    parser.add_argument("--folder", help="where the temporary folders are made")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    counts = sorted(int(count) for count in options.lines.split(","))
    with served() as server:
        for name in options.lists.split(","):
            kind = KINDS[name]
            wanted = counts[-1:] if kind.name.endswith(".gz") else counts
            figures: dict[tuple[str, int], list[Crawl]] = defaultdict(list)
            for _ in range(options.rounds):
                for count in wanted:
                    for each, found in measure(kind, count, options.folder, server).items():
                        figures[each, count].append(found)
            for each in PASSES:
                shortest = median(found.peak for found in figures[each, wanted[0]])
                for count in wanted:
                    say(name, each, count, figures[each, count], shortest)


def say(name: str, each: str, count: int, found: list[Crawl], shortest: float) -> None:
    rate = median(count / crawl.seconds for crawl in found)
    peak = median(crawl.peak for crawl in found)
    files = median(crawl.files for crawl in found)
    quarters = " ".join(f"{median(mb):.0f}" for mb in zip(*(crawl.quarters(count) for crawl in found), strict=True))
    print(
        f"{name:<8} {each:<7} {count:>8,} lines {rate:7,.0f}/s   peak {peak:4.0f} MB ({peak / shortest:.2f})   "
        f"after each quarter {quarters}   {files:.0f} files open",
        flush=True,
    )


if __name__ == "__main__":
    main()
