"""The hosts for the spider ``site``: what tests of the crawler take for granted about them."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from io import BytesIO
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import pytest
from PIL import Image
from w3lib.encoding import html_to_unicode
from w3lib.url import canonicalize_url

from imagecrawl.pages.site import Page, parse_page
from tests.replica import Replica, site_maze, site_wall
from tests.replica import site_archive as catalogue
from tests.replica.exchange import Request
from tests.replica.pictures import FORMATS
from tests.replica.site import ROBOTS, website
from tests.replica.site_archive import BANNER, FURNITURE, HOST, INLINE, SITE, WAYS, ArchivePage, Picture
from tests.test_replica import client

Reply = tuple[int, http.client.HTTPMessage, bytes]
Get = Callable[..., Reply]

ALBUMS = [page for path in catalogue.pages() if (page := catalogue.by_path(path)) and page.pictures]
LISTS = [page for path in catalogue.pages() if (page := catalogue.by_path(path)) and page.albums]
OWN = [picture for picture in catalogue.shown() if isinstance(picture, Picture)]
HREF = re.compile(r'<a href="([^"]*)"')
BASE = re.compile(r'<base href="([^"]*)"')
MAZE = site_maze.SITE


@pytest.fixture(scope="module")
def get(replica: Replica) -> Iterator[Get]:
    """GET without following redirects, on one connection a host."""
    with client(replica) as get:
        yield get


def read(get: Get, url: str) -> tuple[str, Page]:
    status, headers, body = get(url)
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    encoding, text = html_to_unicode(headers["Content-Type"], body)
    return text, parse_page(text, url=url, encoding=encoding)


def picture(reply: Reply) -> Image.Image:
    status, headers, body = reply
    assert status == 200
    image = Image.open(BytesIO(body))
    image.load()
    assert headers["Content-Type"] == Image.MIME[image.format or ""]
    return image


@cache
def joined(base: str, href: str) -> str:
    return canonicalize_url(urljoin(base, href))


def hrefs(url: str, text: str) -> list[str]:
    """The links of a page that lead to pages, as a crawler compares them."""
    base = BASE.search(text)
    address = urljoin(url, base[1]) if base else url
    found = (unescape(href) for href in HREF.findall(text))
    return [joined(address, href) for href in found if not href.startswith(("#", "mailto:", "javascript:", "tel:"))]


def best(page: Page) -> list[str]:
    return [picture.urls[0] for picture in page.pictures]


# The archive


def test_there_are_two_thousand_pages_and_five_thousand_pictures():
    assert len(catalogue.pages()) == len(set(catalogue.pages())) == catalogue.PAGES == 2_000
    assert len(OWN) == catalogue.PICTURES == 5_000 and len(set(catalogue.pictures())) == 5_001
    assert catalogue.pictures()[0] == BANNER.url
    assert len({page.title for page in [*ALBUMS, *LISTS]}) == len(ALBUMS) + len(LISTS) == 1_999
    assert {len(page.pictures) for page in ALBUMS} == {2, 3}
    assert {page.way for page in ALBUMS} == set(WAYS)
    assert {urlsplit(url).hostname for url in catalogue.pictures()} == {HOST, catalogue.IMAGE_HOST}
    assert {picture.format for picture in OWN} == {"jpeg", "jpeg-progressive", "png", "webp", "gif"}
    assert all(160 <= picture.size[0] <= 420 and picture.size[1] >= 100 for picture in OWN)


def test_the_pages_are_found_from_the_start_page_in_the_order_of_the_catalogue():
    """Without the network: what the host answers, from link to link, breadth first."""
    waiting = [f"{SITE}/"]
    for url in waiting:
        path = url.removeprefix(SITE)
        answer = website(Request("GET", "https", HOST, path, {}))
        assert answer.status == 200 and isinstance(answer.body, bytes)
        shown = catalogue.by_path(path)
        assert shown
        links = [link for link in hrefs(url, answer.body.decode()) if catalogue.by_path(link.removeprefix(SITE))]
        assert links == [f"{SITE}{link}" for link in shown.links]
        known = {*waiting}
        waiting += [link for link in dict.fromkeys(links) if link not in known]
    assert waiting == [f"{SITE}{path}" for path in catalogue.pages()]


def test_pages_and_pictures_by_depth():
    assert [len(catalogue.pages(depth)) for depth in range(6)] == [1, 21, 521, 1_021, 1_521, 2_000]
    assert catalogue.pictures(0) == [BANNER.url] and len(catalogue.pictures(1)) == 1
    assert catalogue.pages(2) == catalogue.pages()[:521]
    assert len(catalogue.previews(1)) == 40 and len(catalogue.previews()) == 160


@pytest.mark.parametrize("way", WAYS)
def test_an_album_shows_its_pictures(get, way):
    for shown in [page for page in ALBUMS if page.way == way][::40]:
        _, page = read(get, shown.url)
        assert page.title == shown.title
        found = {picture.urls[0]: picture for picture in page.pictures}
        for own in shown.pictures:
            said = found[own.url]
            assert (said.source, said.alt, said.title) == (own.source, own.alt, own.title)
            assert (said.caption, said.heading) == (own.caption, own.heading)
        others = {*found} - {own.url for own in shown.pictures} - {*FURNITURE}
        assert others == ({BANNER.url, INLINE} if way == "inline" else {BANNER.url})


@pytest.mark.parametrize("shown", LISTS[::9], ids=lambda page: page.path)
def test_a_list_shows_small_copies(get, shown: ArchivePage):
    text, page = read(get, shown.url)
    assert {*best(page)} - {*FURNITURE} == {BANNER.url, *(preview.url for preview in shown.previews)}
    for preview in shown.previews:
        assert preview.url != preview.picture.url and f'<img src="{preview.url}"' in text
        assert preview.picture.page in shown.links and preview.page == shown.path
        small, whole = get(preview.url), get(preview.picture.url)
        assert picture(small).size == (150, 100) and picture(whole).size == preview.picture.size


def test_every_page_has_the_furniture(get):
    for path in ("/", LISTS[5].path, ALBUMS[100].path):
        text, page = read(get, SITE + path)
        assert all(url.removeprefix(SITE) in text for url in FURNITURE)
        banner = next(picture for picture in page.pictures if picture.urls == (BANNER.url,))
        assert (banner.source, banner.alt, banner.heading) == (BANNER.source, BANNER.alt, BANNER.heading)
        assert 'href="mailto:' in text and 'href="javascript:' in text and "//www.elsewhere.example/" in text
    logo, pixel, sprite, icon = (get(url) for url in FURNITURE)
    assert logo[1]["Content-Type"] == "image/svg+xml" and logo[2].startswith(b"<svg")
    assert icon[1]["Content-Type"] == "image/x-icon"
    assert picture(pixel).size == (1, 1) and picture(sprite).size == (48, 48)
    assert picture(get(BANNER.url)).size == BANNER.size


def test_the_pictures_are_those_of_the_catalogue_and_no_two_are_the_same(get):
    bodies = set()
    for own in OWN[::80]:
        reply = get(own.url)
        image = picture(reply)
        assert (image.size, image.format, reply[2]) == (own.size, FORMATS[own.format].pillow, own.data())
        bodies.add(reply[2])
    assert len(bodies) == len(OWN[::80])


def test_a_picture_that_is_still_the_same_is_not_sent_again(get):
    status, headers, _ = get(OWN[0].url)
    assert status == 200
    again = get(OWN[0].url, **{"If-None-Match": headers["ETag"]})
    assert (again[0], again[1]["ETag"], again[2]) == (304, headers["ETag"], b"")


def test_the_bare_host_and_what_is_not_there(get):
    status, headers, _ = get(f"https://{catalogue.BARE_HOST}{LISTS[30].path}")
    assert (status, headers["Location"]) == (301, LISTS[30].url)
    for url in (f"{SITE}/forest/album-97.html", f"{SITE}/forest/?page=5&view=list", f"{OWN[0].url}x"):
        assert get(url)[0] == 404


def test_robots(get):
    rules = RobotFileParser()
    rules.parse(get(f"{SITE}/robots.txt")[2].decode().splitlines())
    assert get(f"{SITE}/robots.txt")[2].decode() == ROBOTS
    private = SITE + catalogue.PRIVATE_PAGE
    assert not rules.can_fetch("imagecrawl", private) and rules.can_fetch("imagecrawl", LISTS[30].url)
    assert private in hrefs(f"{SITE}/", read(get, f"{SITE}/")[0])
    assert best(read(get, private)[1]) == [catalogue.PRIVATE_PICTURE] and get(catalogue.PRIVATE_PICTURE)[0] == 200
    assert get(f"https://{catalogue.IMAGE_HOST}/robots.txt")[0] == 404


def test_elsewhere(get, replica):
    assert best(read(get, "https://www.elsewhere.example/pandas")[1]) == ["https://www.elsewhere.example/elsewhere.jpg"]
    assert replica.requested("www.elsewhere.example/pandas")


# The maze


@pytest.mark.parametrize("start", site_maze.STARTS)
def test_a_page_of_the_maze_shows_a_picture(get, start):
    _, page = read(get, MAZE + start)
    found = [url for url in best(page) if not url.startswith("data:")]
    assert found and found == [*site_maze.pictures(start)[: len(found)]] and page.is_whole
    for url in found[:3]:
        assert picture(get(url)).size == site_maze.size_of(url.rpartition("/")[2].removesuffix(".jpg"))


def test_the_start_page_of_the_maze_leads_to_every_trouble(get):
    text, _ = read(get, f"{MAZE}/")
    assert hrefs(f"{MAZE}/", text) == [MAZE + start for start in site_maze.STARTS]


@pytest.mark.parametrize("start", ["/calendar/2026/11", "/sorted?by=a&page=1", "/deeper/", "/random/"])
def test_pages_without_end(get, start):
    seen, waiting = {MAZE + start}, [MAZE + start]
    for url in waiting[:60]:
        text, page = read(get, url)
        assert best(page) == [*site_maze.pictures(start)]
        new = [link for link in dict.fromkeys(hrefs(url, text)) if link not in seen]
        seen.update(new)
        waiting += new
        assert len(waiting) > waiting.index(url) + 1
    assert read(get, url)[0] == read(get, url)[0]


def test_the_calendar_turns_the_year(get):
    links = hrefs(f"{MAZE}/", read(get, f"{MAZE}/calendar/2026/12")[0])
    assert links == [f"{MAZE}/calendar/2026/11", f"{MAZE}/calendar/2027/1"]


def test_large_pages(get):
    text, page = read(get, f"{MAZE}/big")
    assert 10_000_000 < len(text) < 11_000_000 and len(page.pictures) == 300
    assert hrefs(MAZE, read(get, f"{MAZE}/oversized")[0]) == [f"{MAZE}/huge"]
    status, headers, body = get(f"{MAZE}/huge")
    assert status == 200 and "Content-Length" not in headers and headers["Content-Type"].startswith("text/html")
    assert len(body) > site_maze.HUGE_SIZE and body.endswith(b"</html>")


def test_fifty_thousand_links(get):
    text = get(f"{MAZE}/links")[2].decode()
    assert len(set(HREF.findall(text))) == text.count("<a ") == site_maze.LINKS == 50_000
    leaves = [best(read(get, f"{MAZE}/leaf/{number}")[1])[0] for number in (0, 1, 2, 3, 49_999)]
    assert leaves == [site_maze.picture_url(f"leaf-{number}") for number in (0, 1, 2, 0, 1)]


def test_what_the_mixed_page_links_to(get):
    text, _ = read(get, f"{MAZE}/mixed")
    assert hrefs(MAZE, text) == [canonicalize_url(MAZE + path) for path in (*site_maze.MIXED, "/good")]
    for path, odd in site_maze.MIXED.items():
        status, headers, body = get(MAZE + path)
        assert (status, headers["Content-Type"], headers["Location"]) == (odd.status, odd.type, odd.location)
        assert headers["Retry-After"] == odd.retry_after
        assert body == odd.body or picture((status, headers, body)).format == "PNG"
    assert best(read(get, f"{MAZE}/good")[1]) == [site_maze.picture_url("good")]


@pytest.mark.parametrize(
    ("start", "hops", "end"),
    [("/chain/1", 8, f"{MAZE}/chain-end"), ("/moved", 1, f"{MAZE}/leaf/1"), ("/away", 1, site_maze.ELSEWHERE)],
)
def test_redirects_that_end(get, start, hops, end):
    url, count = MAZE + start, 0
    while location := get(url)[1]["Location"]:
        url, count = urljoin(url, location), count + 1
    assert (url, count) == (end, hops) and read(get, url)[1].pictures


def test_redirects_without_end(get):
    assert get(f"{MAZE}/loop")[1]["Location"] == "/loop"
    assert [get(f"{MAZE}/ring/{number}")[1]["Location"] for number in (1, 2)] == ["/ring/2", "/ring/1"]


def test_titles_that_are_hard_to_read(get):
    for path, title in site_maze.TITLES.items():
        assert read(get, MAZE + path)[1].title == title
    assert b"windows-1251" in get(f"{MAZE}/cyrillic")[2] and get(f"{MAZE}/cyrillic")[1]["Content-Type"] == "text/html"
    text, _ = read(get, f"{MAZE}/evil-title")
    title = unescape(text.partition("<title>")[2].partition("</title>")[0])
    assert len(title) == site_maze.LONGEST_TITLE and "../../etc/passwd\x01" in title and "\x1b[31m" in title


def test_one_picture_in_ten_sizes(get):
    _, page = read(get, f"{MAZE}/ten-sizes")
    (only,) = page.pictures
    assert len(only.urls) == 10 and only.urls[0] == site_maze.picture_url("ten")
    widths = {picture(get(url)).width for url in only.urls}
    assert widths == {*site_maze.TEN_NAMED, *site_maze.TEN_ASKED, site_maze.size_of("ten")[0]}


def test_deep_and_wide_elements(get):
    assert read(get, f"{MAZE}/nested")[0].count("<div>") == 20_000
    text = get(f"{MAZE}/attributes")[2].decode()
    assert len(re.findall(r" a\d+=", text)) == 40_000 and text.count("<img") == 2


def test_a_picture_within_a_page(get):
    _, page = read(get, f"{MAZE}/inline")
    assert best(page) == [*site_maze.pictures("/inline"), site_maze.data_uri()]


def test_a_host_whose_name_and_paths_have_umlauts(get):
    assert site_maze.GAP_NAME.encode("idna").decode() == site_maze.GAP_HOST
    for path, (name, link) in site_maze.GAP.items():
        url = canonicalize_url(f"https://{site_maze.GAP_HOST}{path}")
        text, page = read(get, url)
        assert best(page) == [f"https://{site_maze.GAP_HOST}/pictures/{name}.jpg"]
        assert picture(get(best(page)[0])).size == site_maze.size_of(name)
        assert hrefs(url, text) == [canonicalize_url(f"https://{site_maze.GAP_HOST}{link}")]


def test_behind_the_wall_one_page_can_be_read(get):
    links = hrefs(MAZE, read(get, f"{MAZE}/walled")[0])
    assert len(links) == site_maze.WALLED
    assert [url for url in links if get(url)[0] != 403] == [f"{MAZE}/walled/{site_maze.OPEN}"]
    assert best(read(get, f"{MAZE}/walled/{site_maze.OPEN}")[1]) == [site_maze.picture_url("hole")]


# The wall


def test_the_wall_shows_nothing_without_a_browser(get):
    for path in ("/", "/endless"):
        text, page = read(get, site_wall.SITE + path)
        assert not page.pictures and "IntersectionObserver" in text


def test_a_picture_of_the_wall_is_not_found_before_it_is_scrolled_to():
    """As the script leaves it: what it reads is no address."""
    assert not parse_page('<img alt="Brick" data-real="wall-7">', url=site_wall.SITE).pictures


def test_the_batches_of_the_wall(get):
    batches = [json.loads(get(f"{site_wall.SITE}/more.json?page={number}")[2]) for number in range(1, 7)]
    assert [len(batch["pictures"]) for batch in batches] == [12] * 5 + [0]
    assert [batch["more"] for batch in batches] == [True] * 4 + [False] * 2
    named = [f"{site_wall.SITE}/pictures/{one['real']}.jpg" for batch in batches for one in batch["pictures"]]
    assert named == site_wall.wall_pictures() and len({*named}) == 60
    assert len({get(url)[2] for url in named}) == 60 and min(picture(get(named[0])).size) >= 100
    later = json.loads(get(f"{site_wall.SITE}/endless/more.json?page=400")[2])
    assert later["more"] and f"{later['pictures'][-1]['real']}.jpg" in site_wall.wall_pictures("/endless", 400)[-1]


def test_the_plain_wall(get):
    _, page = read(get, f"{site_wall.SITE}/plain")
    assert best(page) == site_wall.wall_pictures("/plain") and len(page.pictures) == 3
    assert [shown.alt for shown in page.pictures] == [site_wall.alt_of(number) for number in (1, 2, 3)]
    assert picture(get(page.pictures[0].urls[0])).format == "JPEG"
