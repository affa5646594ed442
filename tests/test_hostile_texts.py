"""Crawls of a site that writes to our terminal and log, with secrets in every place where one may be."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from scrapy.settings import Settings

from imagecrawl.commands.preflight import store_problems
from imagecrawl.storage import JOINERS
from settings import base
from tests.crawling import ROOT, environment, scrapy
from tests.test_pictures import SAMPLES

MARKER = "marker7Kq0secret"
FORGED = "2026-01-01 00:00:00 [root] ERROR: forged"
EVIL = f"\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj\u200b\r\n{FORGED}\u2028{FORGED}\x85"
HEADER = "\x1b[2Jred\x07\x9b31m".encode("latin-1")
LOGIN = f"http://me:{MARKER}@a.example"
SITE = "http://a.example"
PAGE = f"""<!doctype html><title>Cats {EVIL}</title>
<img src="{LOGIN}/1.png" width=200 height=200 alt="{EVIL}" title="{EVIL}">
<figure><img src="/broken.png?{EVIL}" width=200 height=200><figcaption>{EVIL}</figcaption></figure>
<img src="/status.png" width=200 height=200><img src="/redirect.png" width=200 height=200>
<img src="{LOGIN}:x{EVIL}/1.png" width=200 height=200><img src="{LOGIN}/gone.png" width=200 height=200>
<a href="{LOGIN}/next?{EVIL}">{EVIL}</a> <a href="/text">x</a> <a href="/refused">x</a> <a href="/elsewhere">x</a>"""

SECRETS = {name: f"{MARKER}-{name}" for name in ("REDDIT_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
SETTINGS = {
    **{name: f"{MARKER} {name}" for name in ("FTP_PASSWORD", "MAIL_PASS", "GITHUB_TOKEN", "X_SECRET")},
    "PLAYWRIGHT_CDP_URL": f"wss://browser.example/?token={MARKER}",
    "MAIL_HOST": f"smtp://me:{MARKER}@mail.example",
}


@dataclass
class Host:
    """A proxy that answers for all hosts, what it was asked, and what a crawl that asks it is listening on."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    crawler: int = 0
    """The crawl's process."""
    listening: list[str] = field(default_factory=list)


def listening(process: int) -> list[str]:
    """The local addresses of the sockets on which a process waits for connections, or for datagrams of anybody."""
    links = [str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir() if link.is_symlink()]
    found = []
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == state and f"socket:[{columns[9]}]" in links:
                found.append(columns[1])
    return found


ANSWERS = {
    "/": (200, "text/html; charset=utf-8", PAGE.encode("utf-8", "surrogatepass")),
    "/next": (200, "text/html; charset=utf-8", PAGE.encode()),
    "/text": (200, f"image/{HEADER.decode('latin-1')}", b"\x1b[2J"),
    "/1.png": (200, f"image/{HEADER.decode('latin-1')}", SAMPLES["png"]),
    "/broken.png": (200, "image/png", b"\x1b]0;owned\x07"),
    "/status.png": (500, "image/png", b""),
}


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            if found.crawler and not found.listening:
                found.listening = listening(found.crawler) or ["none"]
            path = self.path.removeprefix(SITE).partition("?")[0]
            status, kind, body = ANSWERS.get(path, (404, "text/plain", b"x"))
            places = {"/redirect.png": f"{LOGIN}/1.png?again", "/elsewhere": f"http://me:{MARKER}@b.example/"}
            status = 302 if path in places else 500 if path == "/refused" else status
            self.send_response(status, HEADER.decode("latin-1"))
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", f"session={MARKER}; Domain=a.example")
            self.send_header("ETag", HEADER.decode("latin-1"))
            if path in places:
                self.send_header("Location", places[path])
            self.end_headers()
            self.wfile.write(body)

        def do_CONNECT(self) -> None:
            found.asked.append(self.path)
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("place", [f"ftp://me:{MARKER}@a.example:21/x", f"s3://{MARKER}:x@bucket/x"])
@pytest.mark.parametrize("name", ["IMAGES_STORE", "FILES_STORE"])
def test_a_store_with_a_login_is_refused_and_not_shown(name: str, place: str) -> None:
    [line] = store_problems(Settings({**vars(base), name: place, "FTP_USER": "me"}))
    assert line.startswith(f"setting `{name}` takes no login") and MARKER not in line


def variables(host: Host, folder: Path) -> dict[str, str]:
    proxy = f"http://me:{MARKER}@127.0.0.1:{host.port}"
    env = environment(folder / "data", SECRETS, {"http_proxy": proxy, "https_proxy": proxy, "HOME": str(folder)})
    return {name: value for name, value in env.items() if not name.startswith("XDG_")}


def words(spider: str, *given: str) -> list[str]:
    settings = [word for name, value in SETTINGS.items() for word in ("-s", f"{name}={value}")]
    return ["crawl", spider, *given, "-L", "DEBUG", "-s", "RETRY_TIMES=1", "-s", "BACKOFF_START=0", *settings]


def raw(text: str) -> set[str]:
    """What a terminal would obey, or takes for the end of a line."""
    unprintable = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {c for c in text if c not in JOINERS | {"\n", "\t"} and unicodedata.category(c) in unprintable}


def assert_safe(*texts: str) -> None:
    for text in texts:
        assert not raw(text)
        assert not [line for line in text.split("\n") if line.startswith(FORGED)], text
        assert MARKER not in text, text[max(0, text.index(MARKER) - 500) :]


def assert_nowhere(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert MARKER not in str(path)
        assert not path.is_file() or MARKER.encode() not in path.read_bytes(), path


def test_a_site_reaches_neither_log_nor_terminal_and_secrets_reach_nothing(host: Host, tmp_path: Path) -> None:
    log = tmp_path / "data" / "crawl.log"
    log.parent.mkdir()
    env = variables(host, tmp_path)
    given = words("site", "-a", f"url={SITE}/", "-a", "depth=1", "-a", "domains=a.example", "-s", f"LOG_FILE={log}")
    with subprocess.Popen(
        [sys.executable, "-m", "scrapy", *given], cwd=ROOT, env=env, encoding="utf-8", errors="surrogateescape",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        host.crawler = process.pid
        out, err = process.communicate(timeout=120)
    said = log.read_bytes().decode("utf-8")
    assert_safe(said, out, err)
    assert_nowhere(tmp_path)
    # It was all there to be written down, and was.
    assert f"{SITE}/1.png" in host.asked and f"{SITE}/redirect.png" in host.asked
    assert "Overridden settings" in said and "'FTP_PASSWORD': '***" in said and r"\x1b[2J" in said
    assert "INFO: Summary\n  " in said and "\n  Ended: blocked (exit code 3)" in said
    assert "Traceback" not in said, said
    with sqlite3.connect(tmp_path / "data" / "ledger.sqlite3") as ledger:
        assert sum(1 for _ in ledger.iterdump()) > 5
    assert not [path for path in tmp_path.iterdir() if path.name != "data"]  # at home
    assert not [url for url in host.asked if "publicsuffix" in url]
    assert host.listening == ["none"]
    shown = scrapy("ledger", env=env)
    assert_safe(shown.stdout, shown.stderr)
    assert "Cats" in shown.stdout


def test_a_list_reaches_neither_log_nor_terminal(host: Host, tmp_path: Path) -> None:
    evil = EVIL.replace("\r\n", "\x0b")  # which a list takes for the end of a line
    rows = [
        ("url", "keyword", "caption", "more"),
        (f"{LOGIN}/1.png", "cats \u202egpj\u200b", evil, f"{LOGIN} {evil}"),
        (f"{LOGIN}/2.png", "dogs", "", ""),
        (f"{LOGIN}/3.png", f"cats {evil}", "", ""),
        (f"{LOGIN}/{evil}.png", "cats", "", ""),
        (f"file:///{MARKER}{evil}", "cats", "", ""),
        (evil, "cats", "", ""),
    ]
    listed = tmp_path / "list.tsv"
    listed.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    given = words("urls", "-a", f"file={listed}", "-a", "extra_columns=*", "-a", "download=0")
    done = scrapy(*given, env=variables(host, tmp_path))
    listed.unlink()
    assert_safe(done.stdout, done.stderr)
    assert_nowhere(tmp_path)
    assert done.stdout == "cats gpj\thttp://a.example/1.png\ndogs\thttp://a.example/2.png\n"
    assert "4 lines bad" in done.stderr and "'FTP_PASSWORD': '***" in done.stderr
    assert "Traceback" not in done.stderr and not host.asked
