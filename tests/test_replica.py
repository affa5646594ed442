"""The replica itself: what other tests take for granted about it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from parsel import Selector
from PIL import Image

from tests.replica import Replica, catalogue
from tests.replica.catalogue import Result
from tests.replica.google_records import string_table
from tests.replica.kinds import KINDS
from tests.replica.pictures import picture_bytes

Reply = tuple[int, dict[str, str], bytes]
MAP = re.compile(r"var m=(\{.*?\});var a=m;")


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica() as running:
        yield running


def connect(replica: Replica, url: str) -> http.client.HTTPConnection:
    """A connection to the host of ``url`` that verifies its certificate and nothing but the replica can answer."""
    proxy, parts = urlsplit(replica.proxy_url), urlsplit(url)
    if parts.scheme == "http":
        return http.client.HTTPConnection(proxy.hostname or "", proxy.port, timeout=10)
    context = ssl.create_default_context(cafile=str(replica.ca_file))
    connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, timeout=10, context=context)
    connection.set_tunnel(parts.hostname or "", 443)
    return connection


def ask(connection: http.client.HTTPConnection, url: str, **headers: str) -> http.client.HTTPResponse:
    """Send a GET and return the answer as soon as its headers are there."""
    path = url if url.startswith("http:") else urlsplit(url)._replace(scheme="", netloc="").geturl()
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


@contextmanager
def client(replica: Replica) -> Iterator[Callable[..., tuple[int, http.client.HTTPMessage, bytes]]]:
    """GET without following redirects, on one connection a host."""
    connections: dict[str, http.client.HTTPConnection] = {}

    def send(url: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        host = urlsplit(url).hostname or ""
        connection = connections.setdefault(host, connect(replica, url))
        response = ask(connection, url, **headers)
        return response.status, response.headers, response.read()

    yield send
    for connection in connections.values():
        connection.close()


def fetch(replica: Replica, url: str, **headers: str) -> Reply:
    """GET without following redirects."""
    connection = connect(replica, url)
    try:
        response = ask(connection, url, **headers)
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def search_url(query: str, **params: str) -> str:
    return f"https://www.google.com/search?{urlencode({'q': query, 'udm': '2', **params})}"


def results_text(replica: Replica, query: str, **params: str) -> str:
    status, _, body = fetch(replica, search_url(query, sei="passed", **params))
    assert status == 200
    return body.decode()


def tile_ids(text: str) -> list[str]:
    return Selector(text).xpath("//*[@data-docid][@data-lpage]/@data-docid").getall()


def record_map(text: str) -> dict[str, list]:
    found = MAP.search(text)
    assert found
    return json.loads(found[1])


# --- the proxy ---


def test_tls_verifies_only_with_the_ca_of_the_replica(replica):
    assert fetch(replica, "https://www.google.com/robots.txt")[2] == b"User-agent: *\nDisallow: /search\n"
    stranger = http.client.HTTPSConnection("127.0.0.1", urlsplit(replica.proxy_url).port, timeout=10)
    stranger.set_tunnel("www.google.com", 443)
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/")


def test_one_connection_serves_many_requests(replica):
    url = "https://www.google.com/robots.txt"
    connection = connect(replica, url)
    assert [ask(connection, url).read() for _ in range(3)] == [fetch(replica, url)[2]] * 3
    connection.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_unknown_host_is_502_and_logged(replica, scheme):
    url = f"{scheme}://{scheme}.unknown.example/cat.jpg"
    if scheme == "https":
        with pytest.raises(OSError, match="502"):
            fetch(replica, url)
    else:
        assert fetch(replica, url)[0] == 502
    (logged,) = replica.requested(f"{scheme}.unknown.example")
    assert (logged.method, logged.status) == ({"http": "GET", "https": "CONNECT"}[scheme], 502)


def test_the_log_says_what_was_asked_and_answered(replica):
    fetch(replica, "https://photos.example/missing.jpg?log=1", Accept="image/*")
    (logged,) = replica.requested("log=1")
    assert (logged.method, logged.scheme, logged.host, logged.status) == ("GET", "https", "photos.example", 404)
    assert (logged.path, logged.headers["accept"]) == ("/missing.jpg?log=1", "image/*")
    assert logged in replica.requests


def test_environment_names_the_proxy_and_the_ca():
    with Replica() as replica:
        environment = replica.environment()
        assert environment["http_proxy"] == environment["https_proxy"] == replica.proxy_url
        assert environment["SSL_CERT_FILE"] == str(replica.ca_file)
        assert replica.ca_file.is_file()
    assert not replica.ca_file.exists()


def test_a_slow_answer_goes_on_when_released():
    url = next(result.image_url for result in catalogue.results("troubles") if result.kind == "slow")
    with Replica() as replica:
        connection = connect(replica, url)
        response = ask(connection, url)
        first = response.read1(10_000)
        replica.release()
        rest = response.read()
        connection.close()
    assert 0 < len(first) < len(first + rest)
    assert first + rest == picture_bytes(url)


@pytest.mark.parametrize("kind", ["slow", "endless"])
def test_stop_does_not_wait_for_an_answer_under_way(kind, capfd):
    url = next(result.image_url for result in catalogue.results("troubles") if result.kind == kind)
    replica = Replica().start()
    connection = connect(replica, url)
    ask(connection, url).read1(1)
    began = time.monotonic()
    replica.stop()
    assert time.monotonic() - began < 2
    connection.close()
    assert capfd.readouterr().err == ""


def test_stop_cuts_connections_that_are_kept_alive():
    url = "http://photos.example/robots.txt"
    with Replica() as replica:
        connection = connect(replica, url)
        ask(connection, url).read()
    assert connection.sock.recv(1) == b""
    connection.close()


@pytest.mark.parametrize("kind", ["slow", "endless"])
def test_a_client_that_vanishes_leaves_neither_noise_nor_a_thread(kind, capfd):
    url = next(result.image_url for result in catalogue.results("troubles") if result.kind == kind)
    with Replica() as replica:
        before = set(threading.enumerate())
        connection = connect(replica, url)
        ask(connection, url).read1(1)
        (serving,) = set(threading.enumerate()) - before
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
        serving.join(5)
        assert not serving.is_alive()
    assert capfd.readouterr().err == ""


# --- the catalogue ---


def test_the_catalogue_is_the_same_every_time():
    first = catalogue.results("cats")
    catalogue._results.cache_clear()
    assert catalogue.results("cats") == first
    assert catalogue.results("dogs") != first


@pytest.mark.slow
def test_enough_of_the_first_200_are_good_and_distinct():
    good = [result for result in catalogue.results("cats")[:200] if result.kind == "good"]
    assert len({hashlib.sha256(picture_bytes(result.image_url)).digest() for result in good}) == len(good) >= 165


@pytest.mark.slow
def test_good_pictures_are_what_the_catalogue_says():
    formats, classes = set(), set()
    for result in (result for result in catalogue.results("cats") if result.kind == "good"):
        picture = Image.open(BytesIO(picture_bytes(result.image_url)))
        picture.load()
        assert picture.size == (result.width, result.height)
        formats.add(picture.format)
        classes.add(max(bound for bound in (0, 320, 640, 1024, 1920) if bound <= result.width))
    assert formats == {"JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF", "ICO"}
    assert classes == {0, 320, 640, 1024, 1920}


def test_troubles_has_every_kind_once_and_three_good_ones():
    kinds = [result.kind for result in catalogue.results("troubles")]
    assert sorted(kinds) == sorted([*KINDS, "good", "good", "good"])


def test_an_ordinary_query_meets_every_kind_that_costs_no_time():
    found = {result.kind for result in catalogue.results("cats")}
    costly = {name for name, kind in KINDS.items() if kind.costly}
    assert found == set(KINDS) - costly | {"good", "same-bytes", "same-address", "thumbnail-only"}


@pytest.mark.slow
def test_duplicates_are_duplicates():
    shown = catalogue.results("cats")
    good = [result for result in shown if result.kind == "good"]
    (copy,) = (result for result in shown if result.kind == "same-bytes")
    assert copy.image_url not in {result.image_url for result in good}
    assert picture_bytes(copy.image_url) in {picture_bytes(result.image_url) for result in good}
    (again,) = (result for result in shown if result.kind == "same-address")
    assert again.image_url in {result.image_url for result in good}
    assert len({result.id for result in shown}) == len(shown)


def test_two_queries_share_pictures():
    cats, dogs = ({result.image_url for result in catalogue.results(query)} for query in ("cats", "dogs"))
    assert len(cats & dogs - {""}) >= 5


def test_oddities_are_there():
    shown = catalogue.results("cats")
    assert {result.record_kind for result in shown} == {0, 3, 7}
    assert all(re.fullmatch(r"[\w-]{14}", result.id, re.ASCII) for result in shown)
    assert {"-", "_"} <= {result.id[0] for result in shown}
    assert any("<b>" in result.title and '"' in result.title for result in shown)
    assert any(not result.title.isascii() for result in shown)
    assert any(result.image_url.startswith("http:") for result in shown)
    assert any("=" in result.image_url and "&" in result.image_url for result in shown)
    assert any(result.crop == () for result in shown)


# --- pictures ---


def sends_bytes(result: Result) -> bool:
    return result.kind not in {"unknown-host", "redirect-loop", "redirects", "closes-early", "slow", "endless"}


@pytest.mark.parametrize(
    "result", [*filter(sends_bytes, catalogue.results("troubles"))], ids=lambda result: result.kind
)
def test_hosts_send_picture_bytes(replica, result):
    status, headers, body = fetch(replica, result.image_url)
    if (result.reason or "").startswith("http-"):
        assert result.reason == f"http-{status}"
    else:
        assert (status, body) == (200, picture_bytes(result.image_url))
        assert headers["content-type"].startswith("image/")


@pytest.mark.parametrize("index", [4, 5, 8, 24])
def test_good_hosts_send_picture_bytes_over_tls_and_plain(replica, index):
    result = catalogue.results("cats")[index]
    assert fetch(replica, result.image_url)[2] == picture_bytes(result.image_url)


def test_two_redirects_lead_to_the_picture(replica):
    start = url = next(result.image_url for result in catalogue.results("troubles") if result.kind == "redirects")
    for _ in range(2):
        status, headers, _ = fetch(replica, url)
        assert status in {301, 302}
        url = headers["location"]
    assert fetch(replica, url)[::2] == (200, picture_bytes(start))


def test_a_redirect_loop_has_no_end(replica):
    url = next(result.image_url for result in catalogue.results("troubles") if result.kind == "redirect-loop")
    assert fetch(replica, url)[1]["location"] == url


def test_a_connection_closes_before_the_length_is_reached(replica):
    url = next(result.image_url for result in catalogue.results("troubles") if result.kind == "closes-early")
    with pytest.raises(http.client.IncompleteRead) as caught:
        fetch(replica, url)
    assert caught.value.partial == picture_bytes(url)


def test_robots_txt_of_picture_hosts(replica):
    assert fetch(replica, "https://private.example/robots.txt")[2] == b"User-agent: *\nDisallow: /\n"
    assert fetch(replica, "https://photos.example/robots.txt")[0] == 404


def test_thumbnails_are_small_jpegs_of_the_size_the_page_says(replica):
    result = catalogue.results("cats")[0]
    body = fetch(replica, result.thumbnail_url)[2]
    assert body == picture_bytes(result.thumbnail_url)
    assert Image.open(BytesIO(body)).size == result.thumbnail_size
    assert fetch(replica, catalogue.results("thumbless")[0].thumbnail_url)[0] == 404


# --- Google ---


def test_google_redirects_to_www_and_to_udm_2(replica):
    assert fetch(replica, "https://google.com/search?q=cats")[1]["location"] == "https://www.google.com/search?q=cats"
    status, headers, _ = fetch(replica, "https://www.google.com/search?q=cats&tbm=isch&safe=active")
    assert (status, headers["location"]) == (302, "https://www.google.com/search?q=cats&safe=active&udm=2")


def test_the_gate_lets_pass_who_has_the_cookie_or_sei(replica):
    shell = Selector(fetch(replica, search_url("cats"))[2].decode())
    assert shell.xpath("//title/text()").get() == "Google Search"
    assert shell.css("#yvlrue") and shell.css("noscript") and not shell.xpath("//@data-docid")
    assert len(tile_ids(fetch(replica, search_url("cats"), Cookie="SG_SS=x")[2].decode())) == 100
    assert len(tile_ids(results_text(replica, "cats"))) == 100


def test_pages_hold_100_100_30_and_none(replica):
    texts = [results_text(replica, "cats", start=str(10 * number)) for number in range(4)]
    assert [len(tile_ids(text)) for text in texts] == [100, 100, 30, 0]
    assert ["start=" in text for text in texts] == [True, True, False, False]
    first, second = (set(tile_ids(text)) for text in texts[:2])
    assert len(first & second) == 1


def test_the_next_link_keeps_the_parameters(replica):
    selector = Selector(results_text(replica, "cats", hl="ko", safe="active", tbs="isz:l"))
    link = urljoin("https://www.google.com/", selector.css("a[href*='start=']::attr(href)").get(""))
    assert link.startswith(search_url("cats", hl="ko", safe="active", tbs="isz:l"))
    assert "start=10" in link and "sei=" not in link


def test_every_picture_has_two_records_and_its_tile_names_both(replica):
    text = results_text(replica, "cats")
    records = record_map(text)
    shown = [result for result in catalogue.page("cats", 0) if result.has_record]
    bare = [value for value in records.values() if isinstance(value[0], int) and value[0] == 0]
    wrapped = [value for value in records.values() if value[0] == 1]
    assert [value[1] for value in bare] == [value[7] for value in wrapped] == [result.id for result in shown]
    assert [value[1] for value in wrapped] == bare
    keys = Selector(text).xpath("//*[@data-docid][@data-lpage]/@jsdata").getall()
    assert sum(key.split(";")[2] in records for key in keys) == len(shown) == 99


def test_records_say_address_height_width(replica):
    bare = {value[1]: value for value in record_map(results_text(replica, "cats")).values() if value[0] == 0}
    for result in (result for result in catalogue.page("cats", 0) if result.has_record):
        record = bare[result.id]
        assert len(record) == 10
        assert record[3] == [result.image_url, result.height, result.width]
        assert record[2] == [result.thumbnail_url, *reversed(result.thumbnail_size)]
        assert record[9]["2003"][1:4] == [result.page_id, result.page_url, result.title]
        assert (record[9]["2003"][28] is not None) == result.image_url.startswith("http:")


def test_scripts_hold_no_markup_and_no_bare_equals_sign(replica):
    text = results_text(replica, "cats")
    found = MAP.search(text)
    assert found and not set("<>&='") & set(found[1])
    assert Selector(text).xpath("//*[@data-docid][@data-lpage]//h3//img/@alt").getall() == [
        result.title for result in catalogue.page("cats", 0)
    ]


def test_a_good_page_holds_the_words_of_bad_ones(replica):
    text = results_text(replica, "cats")
    assert all(word in text for word in ("/sorry/index", "captcha", "recaptcha", "enablejs", "google.sn='images'"))


def test_a_third_of_the_thumbnails_is_inline_and_the_rest_deferred(replica):
    text = results_text(replica, "cats")
    assert text.count("_setImagesSrc(ii,s)") == 33
    deferred = re.search(r"google\.ldi=(\{.*?\});", text)
    assert deferred
    assert list(json.loads(deferred[1]).values()) == [r.thumbnail_url for r in catalogue.page("cats", 0)[33:]]


def test_tiles_and_records_can_lack_each_other(replica):
    (tile_only,) = (result for result in catalogue.results("cats") if not result.has_record)
    first = results_text(replica, "cats")
    assert tile_only.id in tile_ids(first) and f'"{tile_only.id}"' not in json.dumps(record_map(first))
    (record_only,) = (result for result in catalogue.results("cats") if not result.has_tile)
    second = results_text(replica, "cats", start="10")
    assert record_only.id not in tile_ids(second) and f'"{record_only.id}"' in json.dumps(record_map(second))


@pytest.mark.parametrize(
    ("query", "status", "sign"),
    [
        ("shell", 200, "yvlrue"),
        ("update browser", 200, "Update your browser"),
        ("forbidden", 403, "Forbidden"),
        ("too many", 429, "Too many"),
        ("error", 500, "Server error"),
        ("nothing", 200, 'id="rso"'),
        ("nothing text", 200, "image results"),
        ("changed", 200, "Something new"),
        ("korea", 200, "kav-message"),
        ("few", 200, "W_jd"),
        ("lite", 200, "data-ou="),
        ("basic", 200, "start=20"),
        ("imgres", 200, "<?xml"),
        ("ischj", 200, ")]}'"),
        ("old", 200, "key: 'ds:1'"),
        ("string table", 200, "\\x22"),
        ("rg_meta", 200, "rg_meta"),
    ],
)
def test_scenarios_show_their_sign(replica, query, status, sign):
    answer = fetch(replica, search_url(query, sei="passed"))
    assert answer[0] == status
    assert sign in answer[2].decode()


@pytest.mark.parametrize(
    ("query", "tiles"), [("nothing", 0), ("few", 17), ("one", 1), ("thumbless", 100), ("troubles", 22)]
)
def test_scenarios_have_their_tiles(replica, query, tiles):
    assert len(tile_ids(results_text(replica, query))) == tiles


def test_classless_has_no_classes(replica):
    text = results_text(replica, "classless")
    assert " class=" not in text and " jsname=" not in text and record_map(text)


def test_recordless_has_tiles_only(replica):
    text = results_text(replica, "recordless")
    assert len(tile_ids(text)) == 100 and "W_jd" not in text


def test_a_cut_page_ends_inside_its_records(replica):
    text = results_text(replica, "cut")
    assert "var m={" in text and "var a=m" not in text


def test_a_truncated_page_breaks_off(replica):
    with pytest.raises(http.client.IncompleteRead):
        results_text(replica, "truncated")


def test_a_captcha_is_429_behind_a_redirect(replica):
    assert len(tile_ids(results_text(replica, "captcha later"))) == 100
    for url in (search_url("captcha"), search_url("captcha later", sei="x", start="10")):
        status, headers, _ = fetch(replica, url)
        assert status == 302
        status, _, body = fetch(replica, headers["location"])
        assert status == 429 and b"captcha-form" in body


@pytest.mark.parametrize(("query", "ends"), [("consent", True), ("consent forever", False)])
def test_rejecting_consent_ends_it_or_not(replica, query, ends):
    url = search_url(query, sei="passed")
    page = Selector(fetch(replica, fetch(replica, url)[1]["location"])[2].decode())
    form = page.xpath("//form[@action='https://consent.google.com/save'][.//input[@name='set_eom'][@value='true']]")[0]
    fields = {box.attrib["name"]: box.attrib["value"] for box in form.xpath(".//input[@type='hidden']")}
    connection = connect(replica, "https://consent.google.com/")
    connection.request("POST", "/save", urlencode(fields))
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (303, url)
    assert fetch(replica, url, Cookie=answer.headers["Set-Cookie"].partition(";")[0])[0] == (200 if ends else 302)
    connection.close()


def test_the_string_table_holds_the_records():
    shown = catalogue.page("string table", 0)[:3]
    literals = re.findall(r"'(\[.*?)'", string_table(shown))
    decoded = [json.loads(literal.replace("\\x22", '"').replace("\\\\", "\\")) for literal in literals]
    assert [row[1][3][0] for row in decoded] == [result.image_url for result in shown]


def test_the_callback_holds_the_records_where_they_were(replica):
    found = re.search(r"data:(\[null.*?\]), sideChannel", results_text(replica, "old"))
    assert found
    items = json.loads(found[1])[56][1][0][0][1][0]
    assert [item[0][0]["444383007"][1][1] for item in items] == [r.id for r in catalogue.results("old")]


def test_basic_pages_end(replica):
    texts = [results_text(replica, "basic", start=str(start)) for start in (0, 20, 40)]
    assert [text.count('class="e3goi"') for text in texts] == [20, 20, 10]
    assert ["start=" in text for text in texts] == [True, True, False]
    assert "/url?q=http" in texts[0] and "q=&amp;" in texts[0]


# --- a real browser ---


def test_chromium_passes_the_gate_and_rejects_cookies(replica):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("there is no Chromium here")
    sync_api = pytest.importorskip("playwright.sync_api")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=arguments, proxy={"server": replica.proxy_url}
        )
        page = browser.new_page(ignore_https_errors=True)
        page.set_default_timeout(5000)
        tiles = page.locator("[data-docid][data-lpage]")

        page.goto(search_url("cats"))
        tiles.first.wait_for(state="attached")
        page.wait_for_load_state()
        assert tiles.count() == 100
        assert "sei=" in page.url
        assert page.evaluate("Object.keys(window.W_jd).length") == 199
        assert page.locator("h3 img[src^='data:image/jpeg']").count() == 33

        page.goto(search_url("consent"))
        page.locator("form:has([name=set_eom][value=true]) [type=submit]").first.click()
        tiles.first.wait_for(state="attached")

        page.context.clear_cookies()
        page.goto(search_url("consent dialog"))
        page.click("#W0wltc")
        tiles.first.wait_for(state="attached")
        browser.close()
