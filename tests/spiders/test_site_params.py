"""The arguments of site, as a table: what each takes, what is said of a wrong one, and the folders that pages get."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from imagecrawl.params import explain
from spiders.site import SiteParams, SiteSpider
from tests.crawling import ROOT, crawl

PAGE = "https://a.example/gallery"


def params(**arguments: str) -> SiteParams:
    return SiteParams(**{"url": PAGE, **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("url", PAGE, [PAGE]),
        ("url", "a.example/x", ["https://a.example/x"]),
        ("url", f" {PAGE}  http://b.example:8080/?q=1\n{PAGE} ", [PAGE, "http://b.example:8080/?q=1"]),
        ("url", "localhost:8000", ["https://localhost:8000"]),
        ("depth", "0", 0),
        ("depth", "12", 12),
        ("depth", "all", "all"),
        ("depth", " all ", "all"),
        ("depth", " 3\n", 3),
        ("render", "1", True),
        ("download", "0", False),
        ("keyword", "  red   pandas ", "red pandas"),
        ("folder", "host", "host"),
        ("limit", "5", 5),
    ],
)
def test_a_good_argument_is_read(name: str, text: str, value: object) -> None:
    assert getattr(params(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("allow", r"/(cats|dogs)/\d+", r"/(cats|dogs)/\d+"),
        ("deny", r"\?print=1$", r"\?print=1$"),
        ("domains", "a.example, B.example,localhost", ["a.example", "b.example", "localhost"]),
        ("domains", "münchen.example,BÜCHER.example", ["xn--mnchen-3ya.example", "xn--bcher-kva.example"]),
    ],
)
def test_what_chooses_among_links_goes_with_a_depth(name: str, text: str, value: object) -> None:
    assert getattr(params(depth="1", **{name: text}), name) == value


def test_the_defaults() -> None:
    given = params()
    assert (given.depth, given.render, given.download) == (0, False, True)
    assert {given.allow, given.deny, given.domains, given.keyword, given.folder, given.limit} == {None}
    assert [params(depth=depth).max_depth for depth in ("0", "3", "all")] == [0, 3, math.inf]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "argument `url` is missing: it takes a page such as `https://example.com/gallery`, or several"),
        ({"depth": "1"}, "argument `url` is missing"),
        ({"url": " "}, "There is none"),
        ({"url": "ftp://a.example/"}, "got 'ftp://a.example/'. `ftp://a.example/` is neither http: nor https:"),
        ({"url": "file:///etc/passwd"}, "`file:///etc/passwd` is neither http: nor https:"),
        ({"url": "data:text/html,x"}, "`data:text/html,x` is neither http: nor https:"),
        ({"url": "cats"}, "got 'cats'. `cats` has no host"),
        ({"url": f"{PAGE} cats"}, "`cats` has no host"),
        ({"url": "https://"}, "`https://` has no host"),
        ({"url": "http://[::1"}, "`http://[::1` is none, as far as its host and port go"),
        ({"url": "a.example:99999"}, "`a.example:99999` is none, as far as its host and port go"),
        ({"url": PAGE, "depth": "-1"}, "argument `depth` takes a whole number from 0, links to follow one after the"),
        ({"url": PAGE, "depth": "some"}, "or `all`, to the end of the site; got 'some'"),
        ({"url": PAGE, "depth": "1.5"}, "or `all`, to the end of the site; got '1.5'"),
        ({"url": PAGE, "depth": "1", "allow": "("}, "argument `allow` takes a regular expression for the addresses of"),
        ({"url": PAGE, "depth": "1", "allow": "("}, "got '('. It is none: missing ), unterminated subpattern"),
        ({"url": PAGE, "depth": "1", "deny": "*"}, "pages not to follow; got '*'. It is none: nothing to repeat"),
        ({"url": PAGE, "allow": "x"}, "the argument `allow` chooses among links, and without `depth` none is followed"),
        ({"url": PAGE, "deny": "x"}, "the argument `deny` chooses among links"),
        ({"url": PAGE, "depth": "0", "domains": "a.example"}, "the argument `domains` chooses among links"),
        ({"url": PAGE, "depth": "1", "domains": "a b"}, "hosts below them belong to them; got 'a b'. `a b` is none"),
        ({"url": PAGE, "depth": "1", "domains": "a.example,"}, "A word is missing"),
        ({"url": PAGE, "depth": "1", "domains": "https://a.example"}, "`https://a.example` is none"),
        ({"url": PAGE, "keyword": "x", "folder": "host"}, "give one of the arguments `keyword` and `folder`"),
        ({"url": PAGE, "keyword": " "}, "argument `keyword` takes the folder of all pictures; got ' '. It is empty"),
        ({"url": PAGE, "keyword": "a\x07"}, "It has a control character"),
        ({"url": PAGE, "folder": "other"}, "argument `folder` takes `host`, `path` or `title`: what of each page is"),
        ({"url": PAGE, "limit": "0"}, "argument `limit` takes a whole number from 1, pictures in all; got '0'"),
        ({"url": PAGE, "limit": "all"}, "argument `limit` takes a whole number from 1, pictures in all; got 'all'"),
        ({"url": PAGE, "render": "maybe"}, "argument `render` takes `1` (show each page in a browser, and scroll to"),
        ({"url": PAGE, "dept": "3"}, "argument `dept` is unknown. Did you mean `depth`?"),
        ({"url": PAGE, "q": "cats"}, "argument `q` is unknown. There are: "),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named_with_what_it_takes(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SiteParams(**arguments)  # type: ignore[arg-type]
    said = explain(caught.value, SiteParams)
    assert message in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "title", "folders"),
    [
        (f"{PAGE}/my%20cats.html?page=2", "My cats", ("My cats", "gallery_my cats.html", "a.example")),
        (f"{PAGE}/my%20cats.html", None, ("gallery_my cats.html", "gallery_my cats.html", "a.example")),
        ("https://www.a.example:8080/", "  ", ("www.a.example", "www.a.example", "www.a.example")),
        ("https://a.example/%07/", "\x07\x1b", ("a.example", "a.example", "a.example")),
        (f"{PAGE}/", "Two\n lines\x1b[31m", ("Two lines[31m", "gallery", "a.example")),
    ],
)
def test_the_folder_of_a_page(url: str, title: str | None, folders: tuple[str, ...]) -> None:
    assert params().keyword_of(url, title) == folders[0]
    assert tuple(params(folder=way).keyword_of(url, title) for way in ("title", "path", "host")) == folders
    assert params(keyword="mine").keyword_of(url, title) == "mine"


def test_icons_are_no_pictures_unless_the_settings_say_so() -> None:
    assert SiteSpider.custom_settings == {"IMAGES_MIN_WIDTH": 100, "IMAGES_MIN_HEIGHT": 100}


def test_a_crawl_with_wrong_arguments_is_not_begun(tmp_path: Path) -> None:
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = crawl(tmp_path / "data", "url=cats", "depth=1", "allow=(", "speed=9", spider="site", env=nowhere)
    assert done.code == 2, done.stderr
    for said in ("argument `url` takes", "argument `allow` takes", "argument `speed` is unknown"):
        assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_readme_names_every_argument() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme[readme.index("## Any page, any site") :]
    for name, field in SiteParams.model_fields.items():
        assert name == "job" or re.search(rf"\n\|(?: `\w+`)* `{field.alias or name}`[ `\w]*\|", section), name
