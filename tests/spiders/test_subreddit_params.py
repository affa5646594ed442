"""The arguments of subreddit, as a table: what each takes, what is said of a wrong one, and which way in is taken."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError
from scrapy.settings import Settings

from imagecrawl.pages.subreddit import SORTS
from imagecrawl.params import explain
from spiders.subreddit import SubredditParams, SubredditSpider
from tests.crawling import ROOT, crawl

COOKIES = "# Netscape HTTP Cookie File\n.reddit.com\tTRUE\t/\tTRUE\t{expires}\treddit_session\tsecret-of-mine\n"
NOBODY = {"REDDIT_CLIENT_ID": "", "REDDIT_CLIENT_SECRET": "", "REDDIT_USER_AGENT": "python:mine:1 (by /u/{username})"}
APP = {**NOBODY, "REDDIT_CLIENT_ID": "id-of-mine", "REDDIT_CLIENT_SECRET": "secret-of-mine"}


def params(**arguments: str) -> SubredditParams:
    return SubredditParams(**arguments)  # type: ignore[arg-type]


@pytest.fixture
def cookies(tmp_path: Path) -> str:
    path = tmp_path / "cookies.txt"
    path.write_text(COOKIES.format(expires=0))
    return str(path)


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "saved one.json"
    path.write_text('{"kind": "Listing"}')
    return str(path)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("name", "pics", ["pics"]),
        ("name", " r/pics ", ["pics"]),
        ("name", "/r/EarthPorn/", ["EarthPorn"]),
        ("name", "https://www.reddit.com/r/pics+EarthPorn/", ["pics", "EarthPorn"]),
        ("name", "pics+ cats", ["pics", "cats"]),
        ("limit", "5", 5),
        ("min_score", "-3", -3),
        ("min_score", "0", 0),
        ("search", "  black   cat ", "black cat"),
        ("sort", "new", "new"),
        ("nsfw", "only", "only"),
        ("galleries", "first", "first"),
        ("previews", "never", "never"),
    ],
)
def test_a_good_argument_is_read(name: str, text: str, value: object) -> None:
    assert getattr(params(**{"name": "pics", name: text}), name) == value


def test_the_defaults() -> None:
    given = params(name="pics")
    assert (given.sort, given.time, given.nsfw, given.galleries, given.previews) == (
        "hot",
        None,
        "skip",
        "all",
        "fallback",
    )
    assert (given.limit, given.min_score, given.search, given.via) == (None, None, None, None)


@pytest.mark.parametrize(
    ("text", "names"),
    [("pics", ["pics"]), ("pics+cats", ["pics", "cats"]), ("PICS+cats+Pics", ["pics", "cats"])],
)
def test_a_name_is_asked_for_once_however_it_is_spelled(text: str, names: list[str]) -> None:
    assert [name.lower() for name in params(name=text).subreddits] == names


@pytest.mark.parametrize("suffix", ["txt", "csv"])
def test_names_from_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"names.{suffix}"
    path.write_text("\ufeffr/pics\n\nhttps://old.reddit.com/r/cats/\ndogs+Pics\n", "utf-8")
    assert [name.lower() for name in params(names=str(path)).subreddits] == ["pics", "cats", "dogs"]


def test_a_saved_page_is_called_as_its_file_is_unless_it_is_named(saved: str) -> None:
    assert params(page=saved).subreddits == ["saved one"]
    assert params(page=saved, name="pics").subreddits == ["pics"]
    assert params(page=saved).first_url("page", "pics").startswith("file:///")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of the arguments `name`, `names` and `page`; got none of them"),
        ({"limit": "3"}, "give one of the arguments `name`, `names` and `page`; got none of them"),
        ({"name": "pics", "names": "NAMES"}, "give one of the arguments `name`, `names` and `page`; got `name` and"),
        ({"names": "NAMES", "page": "PAGE"}, "`name`, `names` and `page`; got `names` and `page`"),
        ({"page": "PAGE", "name": "pics+cats"}, "the argument `page` is one listing: give it one `name`, its"),
        ({"name": "pics", "via": "page"}, "the argument `page` and `via=page` belong together"),
        ({"page": "PAGE", "via": "api"}, "the argument `page` and `via=page` belong together"),
        ({"page": "PAGE", "sort": "top"}, "a saved page is as it is: it cannot be asked for another `sort`"),
        ({"page": "PAGE", "time": "day"}, "a saved page is as it is: it cannot be asked for another `time`"),
        ({"page": "PAGE", "search": "cat"}, "a saved page is as it is: it cannot be asked for another `search`"),
        ({"name": "pics", "time": "day"}, "the argument `time` counts for `sort=top`, `sort=controversial` and"),
        ({"name": "pics", "sort": "new", "time": "all"}, "the argument `time` counts for"),
        ({"name": "pics", "search": "cat", "sort": "rising"}, "the argument `search` goes with `sort=hot`, `new` or"),
        ({"name": "pics", "search": "cat", "sort": "controversial"}, "`new` or `top`, not with `controversial`"),
        ({"name": ""}, "argument `name` takes a subreddit such as `pics`, or several with `+` between; got ''"),
        ({"name": "a"}, "`a` is no name of a subreddit: those are 2 to 24 letters, digits and _"),
        ({"name": "pics+"}, "`` is no name of a subreddit"),
        ({"name": "pics cats"}, "`pics cats` is no name of a subreddit"),
        ({"name": "https://www.reddit.com/r/pics/comments/abc/"}, "is no name of a subreddit"),
        ({"name": "u/somebody"}, "is no name of a subreddit"),
        ({"name": "../etc"}, "is no name of a subreddit"),
        ({"name": "p" * 25}, "is no name of a subreddit"),
        ({"names": "no/such/file.txt"}, "argument `names` takes a .txt or .csv file in UTF-8, one subreddit a"),
        ({"names": "no/such/file.txt"}, "There is no such file"),
        ({"names": "README.md"}, "README.md is neither .txt nor .csv"),
        ({"names": "."}, "That is a folder"),
        ({"page": "no/such/page.html"}, "argument `page` takes the file of a listing that was saved: JSON,"),
        ({"page": "."}, "That is a folder"),
        ({"name": "pics", "via": "json"}, "argument `via` takes `api`, `html`, `rss` or `page`; got 'json'"),
        ({"name": "pics", "cookies": "no/such/cookies.txt"}, "argument `cookies` takes a cookies.txt of your own"),
        ({"name": "pics", "cookies": "LICENSE"}, "The file is no cookies.txt: that begins with `# Netscape"),
        ({"name": "pics", "sort": "best"}, "argument `sort` takes `hot`, `new`, `top`, `rising` or `contr"),
        ({"name": "pics", "sort": "top", "time": "decade"}, "argument `time` takes `hour`, `day`, `week`, `month`,"),
        ({"name": "pics", "search": " "}, "argument `search` takes words to search the subreddit for; got ' '. It is"),
        ({"name": "pics", "limit": "0"}, "argument `limit` takes a whole number from 1, pictures per subreddit"),
        ({"name": "pics", "limit": "all"}, "argument `limit` takes a whole number from 1"),
        ({"name": "pics", "min_score": "high"}, "argument `min_score` takes a whole number: posts with a lower score"),
        ({"name": "pics", "nsfw": "yes"}, "argument `nsfw` takes `skip`, `include` or `only`; got 'yes'"),
        ({"name": "pics", "galleries": "none"}, "argument `galleries` takes `all`, `first` (picture) or `skip`; got"),
        ({"name": "pics", "previews": "always"}, "argument `previews` takes `fallback` (where the original"),
        ({"name": "pics", "subreddit": "pics"}, "argument `subreddit` is unknown."),
        ({"name": "pics", "gallery": "all"}, "argument `gallery` is unknown. Did you mean `galleries`?"),
        ({"names_": "pics"}, "argument `names_` is unknown. Did you mean `names`?"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named_with_what_it_takes(
    arguments: dict[str, str], message: str, tmp_path: Path, saved: str
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("pics\n")
    given = {name: {"NAMES": str(names), "PAGE": saved}.get(text, text) for name, text in arguments.items()}
    with pytest.raises(ValidationError) as caught:
        params(**given)
    assert message in explain(caught.value, SubredditParams)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "names.txt has no subreddit in it"),
        (b"pics\n\nr/x\n", "names.txt, line 3: `x` is no name of a subreddit"),
        (b"pics\ncats+!\n", "names.txt, line 2: `!` is no name of a subreddit"),
        (b"pics\nb\xff\n", "names.txt, line 2: not UTF-8"),
    ],
)
def test_a_wrong_file_of_names_is_named_with_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(content)
    with pytest.raises(ValidationError) as caught:
        params(names=str(path))
    assert message in explain(caught.value, SubredditParams)


@pytest.mark.parametrize(("content", "message"), [(b" \n", "The file is empty"), (b"\x89PNG\0", "The file is no text")])
def test_a_wrong_saved_page_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(content)
    with pytest.raises(ValidationError) as caught:
        params(page=str(path))
    assert message in explain(caught.value, SubredditParams)


@pytest.mark.parametrize(
    "content", [COOKIES.format(expires=1), COOKIES.format(expires=0).replace(".reddit.", ".other.")]
)
def test_cookies_of_others_and_of_old_are_wrong_and_not_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text(content)
    with pytest.raises(ValidationError) as caught:
        params(name="pics", cookies=str(path))
    said = explain(caught.value, SubredditParams)
    assert "It has no cookie of reddit.com, or only such that have expired" in said
    assert "secret-of-mine" not in said and "reddit_session" not in said


# What does not go with the settings


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (
            {"via": "api"},
            NOBODY,
            "`via=api` needs REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET, in the environment or the",
        ),
        ({}, {**APP, "REDDIT_CLIENT_ID": ""}, "REDDIT_CLIENT_SECRET is set, REDDIT_CLIENT_ID is not"),
        ({"via": "api"}, {**APP, "REDDIT_CLIENT_ID": ""}, "`via=api` needs REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"),
        ({"search": "cat", "via": "html"}, APP, "argument `search` goes with `via=api` and `via=rss`"),
        ({"search": "cat", "cookies": "COOKIES"}, APP, "argument `search` goes with `via=api` and `via=rss`"),
        ({"min_score": "5"}, NOBODY, "argument `min_score` does not go with `via=rss`, where posts have no scores"),
        ({"min_score": "5", "via": "rss"}, APP, "argument `min_score` does not go with `via=rss`"),
        ({"cookies": "COOKIES", "via": "api"}, APP, "argument `cookies` goes with `via=html`, not with `via=api`"),
        ({"cookies": "COOKIES", "via": "rss"}, APP, "argument `cookies` goes with `via=html`, not with `via=rss`"),
        ({}, {**APP, "REDDIT_USER_AGENT": " "}, "setting `REDDIT_USER_AGENT` is empty"),
    ],
)
def test_what_does_not_go_together_is_said_in_one_line(
    arguments: dict[str, str], settings: dict[str, str], message: str, cookies: str
) -> None:
    given = {name: cookies if text == "COOKIES" else text for name, text in arguments.items()}
    [said] = SubredditSpider.wrong_arguments(params(name="pics", **given), Settings(settings))
    assert message in said
    assert "of-mine" not in said


@pytest.mark.parametrize(
    ("arguments", "settings", "way"),
    [
        ({}, NOBODY, "rss"),
        ({}, APP, "api"),
        ({}, {**APP, "REDDIT_CLIENT_SECRET": ""}, "api"),
        ({"cookies": "COOKIES"}, NOBODY, "html"),
        ({"cookies": "COOKIES"}, APP, "html"),
        ({"via": "rss"}, APP, "rss"),
        ({"via": "html"}, APP, "html"),
        ({"search": "cat"}, NOBODY, "rss"),
        ({"min_score": "5"}, APP, "api"),
        ({"min_score": "5", "via": "html"}, NOBODY, "html"),
        ({"page": "PAGE"}, APP, "page"),
        ({"page": "PAGE", "via": "page", "cookies": "COOKIES"}, NOBODY, "page"),
    ],
)
def test_the_way_in(arguments: dict[str, str], settings: dict[str, str], way: str, cookies: str, saved: str) -> None:
    given = params(name="pics", **{name: {"COOKIES": cookies, "PAGE": saved}.get(text, text)
                                   for name, text in arguments.items()})  # fmt: skip
    assert given.way(Settings(settings)) == way
    assert not list(SubredditSpider.wrong_arguments(given, Settings(settings)))


@pytest.mark.parametrize(
    ("arguments", "way", "address", "query"),
    [
        ({}, "api", "https://oauth.reddit.com/r/pics/hot", {"limit": "100", "raw_json": "1"}),
        ({}, "rss", "https://www.reddit.com/r/pics/hot/.rss", {"limit": "100"}),
        ({}, "html", "https://www.reddit.com/r/pics/hot/", {}),
        ({"cookies": "COOKIES"}, "html", "https://old.reddit.com/r/pics/hot/", {"limit": "100"}),
        ({"sort": "top", "time": "year"}, "api", "https://oauth.reddit.com/r/pics/top", {"t": "year"}),
        ({"sort": "rising"}, "html", "https://www.reddit.com/r/pics/rising/", {}),
        ({"search": "a cat", "time": "week"}, "rss", "https://www.reddit.com/r/pics/search.rss",
         {"q": "a cat", "t": "week", "restrict_sr": "1"}),
        ({"search": "a cat", "sort": "top"}, "api", "https://oauth.reddit.com/r/pics/search",
         {"q": "a cat", "sort": "top", "restrict_sr": "1"}),
    ],
)  # fmt: skip
def test_the_first_address(
    arguments: dict[str, str], way: str, address: str, query: dict[str, str], cookies: str
) -> None:
    given = params(name="pics", **{name: cookies if text == "COOKIES" else text for name, text in arguments.items()})
    url = given.first_url(way, "pics")
    assert url.partition("?")[0] == address
    asked = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
    assert query.items() <= asked.items()
    assert set(asked) - set(query) <= {"limit", "raw_json", "sort"}


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_has_an_address_by_every_way(sort: str) -> None:
    given = params(name="pics", sort=sort)
    assert all(f"/r/pics/{sort}" in given.first_url(way, "pics") for way in ("api", "html", "rss"))


# Real runs


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("name=pics", "sort=best", "nsfw=yes", "speed=9"),
         [r"argument `sort` takes .*got 'best'", r"argument `nsfw` takes .*got 'yes'", "argument `speed` is unknown"]),
        (("name=pics", "via=api"), ["`via=api` needs REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"]),
    ],
)  # fmt: skip
def test_a_crawl_with_wrong_arguments_is_not_begun(tmp_path: Path, words: tuple[str, ...], message: list[str]) -> None:
    nobody = {**NOBODY, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = crawl(tmp_path / "data", *words, spider="subreddit", env=nobody)
    assert done.code == 2, done.stderr
    assert all(re.search(line, done.stderr) for line in message), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_readme_names_every_argument() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme[readme.index("`subreddit` gets") :]
    for name, field in SubredditParams.model_fields.items():
        assert name == "job" or re.search(rf"\n\|(?: `\w+`)* `{field.alias or name}`[ `\w]*\|", section), name
