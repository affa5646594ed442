"""The Unsplash of the replica: what tests of the crawler take for granted about it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from urllib.parse import quote, urljoin
from urllib.robotparser import RobotFileParser

import pytest
from parsel import Selector
from PIL import Image

from imagecrawl.pages.unsplash import parse_page
from tests.replica import Replica
from tests.replica import unsplash_photos as catalogue
from tests.replica.unsplash_photos import LICENCE, SITE, TRAPS, Photo
from tests.test_replica import client

Reply = tuple[int, http.client.HTTPMessage, bytes]
Get = Callable[..., Reply]

PHOTOS = catalogue.photos()
SHOWN = [photo for photo in PHOTOS if photo.trap != "gone"]
PLAIN = next(photo for photo in PHOTOS if not photo.trap and photo.size[0] == 1400)
WEBP = "image/webp,image/*;q=0.8"


def name_of(photo: Photo) -> str:
    return photo.trap or str(photo.place)


@pytest.fixture(scope="module")
def get(replica: Replica) -> Iterator[Get]:
    """GET without following redirects, on one connection a host."""
    with client(replica) as get:
        yield get


def read(get: Get, url: str) -> Selector:
    status, headers, body = get(url)
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    return Selector(body.decode())


def picture(reply: Reply) -> Image.Image:
    status, headers, body = reply
    assert status == 200
    image = Image.open(BytesIO(body))
    image.load()
    assert headers["Content-Type"] == Image.MIME[image.format or ""]
    return image


def in_figures(page: Selector) -> list[str]:
    """The codes of the photos that a page shows, in order."""
    return [href[-11:] for href in page.css("figure a[itemprop=contentUrl]::attr(href)").getall()]


def state(page: Selector) -> object:
    (text,) = page.css('script[type="application/json"]::text').getall()
    return json.loads(text)


def codes(photos: list[Photo]) -> list[str]:
    return [photo.code for photo in photos]


# The catalogue


def test_there_are_sixty_photos_and_every_trap():
    assert len(PHOTOS) == 59 and len(catalogue.paid()) == 1
    assert {catalogue.trap(name).trap for name in TRAPS} == set(TRAPS)
    everyone = [*PHOTOS, *catalogue.paid()]
    assert len({photo.id for photo in everyone}) == len({photo.code for photo in everyone}) == 60
    assert all(len(photo.code) == 11 and photo.page_url.endswith(photo.code) for photo in everyone)
    assert any(photo.code.startswith("-") for photo in everyone)


def test_no_two_pictures_are_the_same_and_none_is_costly():
    originals = [photo.original for photo in PHOTOS]
    assert len(set(originals)) == len(originals)
    assert max(photo.size[0] for photo in PHOTOS) == 1400 and max(map(len, originals)) < 100_000


def test_a_crawl_from_the_start_page_reaches_every_photo():
    assert set(catalogue.reachable()) == set(PHOTOS)
    assert catalogue.reachable()[:1] == catalogue.start_page()[:1]


@pytest.mark.parametrize("start", [PLAIN, catalogue.trap("old"), "lake"], ids=["photo", "old", "search"])
def test_a_crawl_from_elsewhere_reaches_all_but_what_only_the_start_page_knows(start):
    assert set(PHOTOS) - set(catalogue.reachable(start)) <= {catalogue.trap("hidden")}


def test_what_is_wanted():
    every = catalogue.wanted([600, 1200])
    assert len(every) == 2 * len(PHOTOS)
    assert {entry.size[0] for entry in every if not entry.photo.trap} == {600, 900, 1000, 930, 1200}
    assert all(entry.size[0] <= (entry.width or 0) for entry in every)
    outcomes = {(entry.photo.trap, entry.width): (entry.outcome, entry.reason) for entry in every}
    assert outcomes["gone", 600] == outcomes["gone", 1200] == ("failed", "http-404")
    assert outcomes["cut", 600] == ("failed", "truncated")
    assert (outcomes["small", 600], outcomes["small", 1200]) == (("stored", None), ("duplicate", None))
    assert [entry.size for entry in catalogue.wanted()] == [entry.photo.size for entry in catalogue.wanted()]
    assert [entry.photo for entry in catalogue.wanted(None, "lake", follow=False)] == catalogue.search("lake")
    first = catalogue.wanted([600], PLAIN, follow=False)
    assert first[0].photo == PLAIN and len(first) == 1 + len([p for p in catalogue.shown(PLAIN) if p.trap != "paid"])


# Pages


def test_the_start_page(get):
    page = read(get, f"{SITE}/")
    assert in_figures(page) == codes(catalogue.start_page())
    assert in_figures(page).count(catalogue.trap("twice").code) == 2
    assert catalogue.trap("hidden").code not in in_figures(page)
    (script,) = page.xpath("//script[contains(., '__INITIAL_STATE__')]/text()").getall()
    said = json.loads(json.loads(script.partition("JSON.parse(")[2].rpartition(")")[0]))
    ids = [record["id"] for record in said["feeds"]["home"]]
    assert set(ids) == set(codes([*catalogue.start_page(), *catalogue.start_more()])) - set(codes(catalogue.paid()))
    assert catalogue.trap("hidden").code in ids


@pytest.mark.parametrize("photo", SHOWN, ids=name_of)
def test_the_page_of_a_photo(get, photo):
    page = read(get, photo.page_url)
    assert in_figures(page) == codes(catalogue.shown(photo))
    (main,) = page.css("button img")
    assert main.attrib["alt"] == photo.description and photo.id in main.attrib["srcset"]
    assert not page.xpath(f"//a[contains(@href, '{photo.code}')]")
    tags = page.xpath("//h3[. = 'Related tags']/following-sibling::div/a")
    assert tuple(tags.css("::text").getall()) == photo.tags * (photo.trap != "silent")
    assert bool(page.xpath("//h3[. = 'Related tags']")) == (photo.known_tags is not None)
    assert page.css("header a::text").get() == photo.photographer
    assert LICENCE in page.css("p a::attr(href)").getall()
    assert bool(page.css('script[type="application/json"]')) == (photo.place % 2 == 0)
    assert bool(page.css('script[type="application/ld+json"]')) == (photo.place % 3 == 0)


def test_the_sizes_that_a_page_offers_exist(get):
    page = read(get, PLAIN.page_url)
    candidates = [entry.split(" ") for entry in page.css("button img::attr(srcset)").get("").split(", ")]
    assert [descriptor for _, descriptor in candidates] == ["200w", "400w", "600w", "1000w", "1400w"]
    assert [f"{picture(get(url)).width}w" for url, _ in candidates] == [descriptor for _, descriptor in candidates]


def test_the_same_picture_has_other_addresses_on_other_kinds_of_page(get):
    assert len({image_sources(read(get, f"{SITE}{path}")) for path in ("/", "/s/photos/lake", PLAIN.path)}) == 3


def image_sources(page: Selector) -> str:
    return page.css("figure img::attr(srcset)").get("").partition("ixid=")[2].partition(" ")[0]


def test_other_words_and_none_lead_to_the_page(get):
    for path in (f"/photos/{PLAIN.code}", f"/photos/other-words-{PLAIN.code}"):
        status, headers, _ = get(SITE + path)
        assert status == 301 and urljoin(SITE, headers["Location"]) == PLAIN.page_url
    old = catalogue.trap("old")
    assert old.path == f"/photos/{old.code}" and get(old.page_url)[0] == 200
    assert get(f"{SITE}/photos/words-{old.code}")[1]["Location"] == old.path


def test_a_photo_that_is_gone(get):
    gone = catalogue.trap("gone")
    for url in (gone.page_url, gone.image_url, f"{gone.image_url}?w=600", f"{SITE}/photos/nowhere-AAAAAAAAAAA"):
        assert get(url)[0] == 404


def test_a_paid_photo(get):
    (paid,) = catalogue.paid()
    page = read(get, paid.page_url)
    assert not in_figures(page) and "/plus/license" in page.css("p a::attr(href)").getall()
    assert get(paid.image_url)[0] == get(f"{paid.image_url}?w=600")[0] == 402


@pytest.mark.parametrize("q", ["lake", "street", "red boat", "café", "heat & dust"])
def test_a_search(get, q):
    found = catalogue.search(q)
    page = read(get, f"{SITE}/s/photos/{quote(q.replace(' ', '-'))}")
    assert found and all(all(word in f"{p.description} {p.tags}" for word in q.split()) for p in found)
    shown = [photo for photo in found if photo.trap != "hidden"][: catalogue.FIGURES]
    assert in_figures(page) == codes([*shown, *catalogue.paid()])
    assert [record["id"] for record in state(page)["search"]["results"]] == codes(found)


def test_a_search_has_more_than_it_shows():
    assert len(catalogue.search("nature")) == catalogue.FIGURES + catalogue.MORE


def test_searches_that_go_wrong(get):
    for q, status in catalogue.SEARCHES.items():
        answer = get(f"{SITE}/s/photos/{q}")
        assert answer[0] == status and b"<figure" not in answer[2]
    assert b"No results found" in get(f"{SITE}/s/photos/xyzzy")[2]
    assert b"<script src=" in get(f"{SITE}/s/photos/shell")[2]


def test_robots(get):
    rules = RobotFileParser()
    rules.parse(get(f"{SITE}/robots.txt")[2].decode().splitlines())
    for path in ("/", PLAIN.path, "/s/photos/lake", "/license"):
        assert rules.can_fetch("imagecrawl", SITE + path) and get(SITE + path)[0] == 200
    assert not rules.can_fetch("imagecrawl", f"{SITE}/napi/photos")
    assert get(f"{SITE}/napi/photos")[0] == 200
    assert get(f"{PLAIN.image_url.rpartition('/')[0]}/robots.txt")[0] == 404


def test_the_page_functions_find_all_of_it(get):
    """As a crawl would: from the start page from link to link, each photo once."""
    waiting, found = [f"{SITE}/"], {}
    for url in waiting:
        if get(url)[0] == 200:
            page = parse_page(get(url)[2].decode(), url=url)
            found |= {shown.id: shown for shown in page.photos if shown.id not in found}
            found |= {page.photo.id: page.photo} if page.photo else {}
            waiting += [link for link in page.links if link not in waiting]
    assert set(waiting[1:]) == {photo.page_url for photo in PHOTOS}
    assert set(found) == {photo.id for photo in PHOTOS}
    for photo in SHOWN:
        said = found[photo.id]
        assert (said.code, said.page_url, said.tags) == (photo.code, photo.page_url, photo.known_tags)
        assert (said.photographer, said.photographer_url) == (photo.photographer, photo.photographer_url)
        assert (said.description, said.licence_url) == (photo.description, LICENCE)


# Pictures


def test_without_a_query_the_original_is_sent(get):
    for photo in (PLAIN, catalogue.trap("small")):
        status, headers, body = get(photo.image_url, Accept=WEBP)
        assert (status, headers["Content-Type"], body) == (200, "image/jpeg", photo.original)
        assert picture((status, headers, body)).size == photo.size


@pytest.mark.parametrize("width", [600, 1200])
@pytest.mark.parametrize("photo", SHOWN, ids=name_of)
def test_a_picture_comes_as_wide_as_the_catalogue_says(get, photo, width):
    reply = get(f"{photo.image_url}?w={width}&fit=max&q=60")
    if photo.trap == "cut":
        with pytest.raises(OSError, match="truncated"):
            picture(reply)
    else:
        assert picture(reply).size == photo.size_at(width)


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("w=700", (700, 465)),
        ("w=2000", (1400, 930)),
        ("w=2000&fit=max", (1400, 930)),
        ("w=2000&fit=clip", (2000, 1329)),
        ("w=2000&fit=crop", (2000, 1329)),
        ("w=400&h=400&fit=crop", (400, 400)),
        ("w=400&h=100&fit=max", (151, 100)),
        ("w=400&dpr=2", (800, 531)),
        ("h=93", (140, 93)),
        ("w=x&h=0", (1400, 930)),
        ("q=10", (1400, 930)),
    ],
)
def test_the_sizes_of_imgix(get, query, size):
    assert picture(get(f"{PLAIN.image_url}?{query}")).size == size


@pytest.mark.parametrize(
    ("query", "accept", "form"),
    [
        ("w=90", WEBP, "JPEG"),
        ("w=90&auto=format", WEBP, "WEBP"),
        ("w=90&auto=compress,format", WEBP, "WEBP"),
        ("w=90&auto=format", "image/*", "JPEG"),
        ("w=90&auto=compress", WEBP, "JPEG"),
        ("w=90&fm=png", WEBP, "PNG"),
        ("w=90&fm=png&auto=format", WEBP, "WEBP"),
        ("w=90&fm=webp", "", "WEBP"),
        ("w=90&fm=jpg", "", "JPEG"),
    ],
)
def test_the_format_of_a_picture(get, query, accept, form):
    assert picture(get(f"{PLAIN.image_url}?{query}", Accept=accept)).format == form


def test_quality_counts(get):
    small, large = (len(get(f"{PLAIN.image_url}?w=600&q={q}")[2]) for q in (20, 90))
    assert small < large


def test_a_picture_that_is_still_the_same_is_not_sent_again(get):
    url = f"{PLAIN.image_url}?w=90&auto=format"
    status, headers, _ = get(url)
    assert status == 200 and "Accept" in headers["Vary"]
    tag = headers["ETag"]
    again = get(url, **{"If-None-Match": tag})
    assert (again[0], again[1]["ETag"], again[2]) == (304, tag, b"")
    others = {get(PLAIN.image_url)[1]["ETag"], get(f"{url}&q=9")[1]["ETag"], get(url, Accept=WEBP)[1]["ETag"]}
    assert len(others | {tag}) == 4


def test_avatars_and_what_is_not_there(get):
    assert picture(get(f"{PLAIN.avatar_url}?w=32")).size == (32, 32)
    assert get(f"https://{catalogue.IMAGE_HOST}/photo-1600000000001-00000000000a")[0] == 404
    assert get(f"https://{catalogue.IMAGE_HOST}/")[0] == 404
