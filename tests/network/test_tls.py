"""Certificates that cannot be verified: what is said, and how one host is let through, through a proxy and without."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.network.tls import ContextFactory
from settings import base
from tests.crawling import Crawl, crawl, environment, save_results_page, scrapy
from tests.replica import Replica
from tests.replica.certificates import Authority, Flaw

UNTRUSTED, EXPIRED, OTHER_NAME = "photos.example", "cdn.pictures.example", "static.gallery.example"
WHY = {
    UNTRUSTED: "certificate verify failed",
    EXPIRED: "certificate verify failed",
    OTHER_NAME: "it was made out to another name",
}


@pytest.fixture(scope="module")
def flawed() -> Iterator[Replica]:
    flaws = {UNTRUSTED: Flaw.UNTRUSTED, EXPIRED: Flaw.EXPIRED, OTHER_NAME: Flaw.OTHER_NAME}
    with Replica(flaws=flaws) as replica:
        yield replica


@pytest.fixture(scope="module")
def page(flawed: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_results_page(flawed, "few", tmp_path_factory.mktemp("page") / "few.html")


def pictures(replica: Replica, data: Path, page: Path, *arguments: str) -> Crawl:
    return crawl(data, f"page={page}", "thumbnails=never", *arguments, env=replica.environment())


def outcomes(done: Crawl) -> dict[str, set[tuple[str, str | None]]]:
    """What became of the pictures of each host."""
    found: dict[str, set[tuple[str, str | None]]] = {}
    for item in done.items:
        host = urlsplit(item["image_urls"][0]).hostname or ""
        found.setdefault(host, set()).add((item["outcome"], item["reason"]))
    return found


def said(host: str, why: str) -> str:
    """The message, word for word."""
    way_on = "SSL_CERT_FILE can name a missing authority; "
    way_on += f"to accept it unverified: -s TLS_UNVERIFIED_HOSTS={host}"
    return f"the certificate of {host} cannot be verified ({why}); {way_on}"


def test_pictures_of_a_host_with_a_bad_certificate_fail_and_the_log_names_the_setting(
    flawed: Replica, page: Path, tmp_path: Path
) -> None:
    before = len(flawed.requests)
    done = pictures(flawed, tmp_path, page, "-s", "LOG_LEVEL=INFO")
    found = outcomes(done)
    for host, why in WHY.items():
        assert found.pop(host) == {("failed", "certificate")}
        assert [line for line in done.stderr.splitlines() if " WARNING: " in line and said(host, why) in line]
        assert done.stderr.count(f"[imagecrawl.downloads] WARNING: {said(host, why)}") == 1
    assert set().union(*found.values()) == {("stored", None)}
    assert "retry/count" not in done.stderr
    assert not [request for request in flawed.requests[before:] if request.host in WHY]


@pytest.mark.slow
def test_the_setting_lets_through_the_hosts_it_names_and_no_other(flawed: Replica, page: Path, tmp_path: Path) -> None:
    hosts = f"TLS_UNVERIFIED_HOSTS={UNTRUSTED}, {EXPIRED.upper()},gallery.example"
    done = pictures(flawed, tmp_path, page, "-s", hosts)
    found = outcomes(done)
    assert found[UNTRUSTED] == found[EXPIRED] == {("stored", None)}
    assert found[OTHER_NAME] == {("failed", "certificate")}
    assert UNTRUSTED not in done.stderr and EXPIRED not in done.stderr
    done = pictures(flawed, tmp_path, page, "-s", f"TLS_UNVERIFIED_HOSTS={OTHER_NAME}")
    found = outcomes(done)
    assert ("stored", None) in found[OTHER_NAME]
    assert "WARNING" not in done.stderr


@pytest.mark.slow
def test_a_page_that_cannot_be_had_ends_the_crawl_with_the_setting_named(tmp_path: Path) -> None:
    with Replica(flaws={"www.google.com": Flaw.UNTRUSTED}) as replica:
        (tmp_path / "words.txt").write_text("few\ncats\n", "utf-8")
        arguments = (f"queries={tmp_path / 'words.txt'}", "via=http", "-s", "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT=1")
        done = crawl(tmp_path / "data", *arguments, "-L", "DEBUG", env=replica.environment())
        assert done.code == 5, done.stderr
        assert f"few: {said('www.google.com', WHY[UNTRUSTED])}\n" in done.stderr
        assert "Not asked for any more: cats" in done.stderr
        assert "Retrying" not in done.stderr
        assert "Traceback" not in done.stderr
        assert not replica.requests
        let_through = ("q=few", "limit=1", "via=http", "-s", "TLS_UNVERIFIED_HOSTS=www.google.com")
        crawl(tmp_path / "data", *let_through, env=replica.environment())
        assert replica.requested("www.google.com/search")


@pytest.mark.parametrize("hosts", ["https://a.example/", "a.example,b.example:443", "*.example", "a.example,"])
def test_what_is_no_host_is_named(hosts: str) -> None:
    [line] = wrong_settings(Settings({**vars(base), "TLS_UNVERIFIED_HOSTS": hosts}))
    assert line.startswith("setting `TLS_UNVERIFIED_HOSTS` takes host names, with commas between; got ")


@pytest.mark.parametrize("command", ["crawl", "retry"])
def test_what_is_no_host_is_refused(tmp_path: Path, command: str) -> None:
    words = ("-a", "q=few") if command == "crawl" else ()
    hosts = "TLS_UNVERIFIED_HOSTS=a.example,b.example:443"
    done = scrapy(command, "google_images", *words, "-s", hosts, env=environment(tmp_path))
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if "TLS_UNVERIFIED_HOSTS" in line]
    assert "setting `TLS_UNVERIFIED_HOSTS` takes host names, with commas between; got " in line
    assert "Traceback" not in done.stderr


class Direct(BaseHTTPRequestHandler):
    """Says that it is there, and sends on from ``/away`` to its other name."""

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", f"https://127.0.0.1:{self.server.server_port}/")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"there")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay quiet."""


@contextmanager
def direct_server(context: ssl.SSLContext) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Direct)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that do not like its certificate
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def fetch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[str, str]]]:
    """``scrapy fetch`` without a proxy, from a server that is called localhost: what it printed and logged."""
    folder = tmp_path_factory.mktemp("direct")
    authority = Authority({})
    authority.write(folder / "ca.pem")
    with direct_server(authority.context("localhost")) as port:

        def run(host: str, path: str, *arguments: str, trusted: bool = True) -> tuple[str, str]:
            trust = {"SSL_CERT_FILE": str(folder / "ca.pem") if trusted else "/dev/null", "SSL_CERT_DIR": str(folder)}
            address = f"https://{host}:{port}{path}"
            allowed = ("-s", "ALLOW_PRIVATE_ADDRESSES=True")
            done = scrapy("fetch", address, *allowed, *arguments, env=environment(folder / "data", trust))
            return done.stdout.strip(), done.stderr

        yield run


Fetch = Callable[..., tuple[str, str]]


@pytest.mark.slow
def test_without_a_proxy_it_is_the_same(fetch: Fetch) -> None:
    printed, log = fetch("localhost", "/")
    assert printed == "there" and "WARNING" not in log
    printed, log = fetch("localhost", "/", trusted=False)
    assert not printed
    assert said("localhost", WHY[UNTRUSTED]) in log
    printed, _ = fetch("LocalHost", "/", "-s", "TLS_UNVERIFIED_HOSTS=LOCALHOST.", trusted=False)
    assert printed == "there"
    printed, _ = fetch("localhost", "/", "-s", "DOWNLOAD_VERIFY_CERTIFICATES=False", trusted=False)
    assert printed == "there"


def test_it_is_the_host_that_a_redirect_leads_to_that_counts(fetch: Fetch) -> None:
    printed, log = fetch("localhost", "/away", "-s", "TLS_UNVERIFIED_HOSTS=localhost")
    assert not printed
    assert said("127.0.0.1", WHY[OTHER_NAME]) in log
    printed, _ = fetch("localhost", "/away", "-s", "TLS_UNVERIFIED_HOSTS=127.0.0.1")
    assert printed == "there"


def test_the_versions_of_tls_are_those_of_the_settings(fetch: Fetch) -> None:
    only_old = ("-s", "DOWNLOAD_TLS_MIN_VERSION=TLSv1.2", "-s", "DOWNLOAD_TLS_MAX_VERSION=TLSv1.2", "-L", "DEBUG")
    printed, log = fetch("localhost", "/", *only_old, "-s", "DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING=True")
    assert printed == "there"
    assert "using protocol TLSv1.2" in log


def test_other_troubles_of_tls_are_no_matter_of_certificates(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # which has no certificate at all
    with direct_server(context) as port:
        settings = ("-s", "RETRY_TIMES=0", "-s", "ALLOW_PRIVATE_ADDRESSES=True", "-s", "ROBOTSTXT_OBEY=False")
        done = scrapy("fetch", f"https://localhost:{port}/", *settings, env=environment(tmp_path))
    assert "DownloadFailedError" in done.stderr
    assert "TLS_UNVERIFIED_HOSTS" not in done.stderr


@pytest.mark.parametrize("setting", ["photos.example", "Photos.Example."])
@pytest.mark.parametrize(
    ("host", "is_lenient"),
    [(b"photos.example", True), (b"PHOTOS.example.", True), (b"cdn.photos.example.", False), (b"example.", False)],
)
def test_a_dot_at_the_end_of_a_name_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, setting: str, host: bytes, is_lenient: bool
) -> None:
    factory = ContextFactory.from_crawler(get_crawler(settings_dict={"TLS_UNVERIFIED_HOSTS": setting}))
    asked: list[bytes] = []
    monkeypatch.setattr(factory.lenient, "creatorForNetloc", lambda name, port: asked.append(name))
    factory.creatorForNetloc(host, 443)
    assert asked == [host] * is_lenient


def test_hosts_share_their_authorities_and_nothing_else() -> None:
    settings = {"DOWNLOAD_VERIFY_CERTIFICATES": True, "TLS_UNVERIFIED_HOSTS": "lenient.example"}
    factory = ContextFactory.from_crawler(get_crawler(settings_dict=settings))
    tls = SimpleNamespace(factory=SimpleNamespace(wrappedFactory=None))
    hosts = (b"a.example", b"b.example", b"127.0.0.1", b"lenient.example")
    one, two, number, lenient = (factory.creatorForNetloc(host, 443).clientConnectionForTLS(tls) for host in hosts)
    assert one.get_context() is two.get_context() is number.get_context() is not lenient.get_context()
    assert [each.get_servername() for each in (one, two, number)] == [b"a.example", b"b.example", None]
