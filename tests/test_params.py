import traceback
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from imagecrawl.outcomes import Outcome
from imagecrawl.params import (
    ExistingFile,
    Keyword,
    SpiderParams,
    WebPages,
    Years,
    clean_keyword,
    cookie_file,
    explain,
    listed_in_file,
    read_cookies,
    read_list,
    web_pages,
    words,
    years,
)


class Params(SpiderParams):
    q: Keyword | None = Field(None, description="one keyword")
    limit: int = Field(1, description="a whole number")


def explained(**arguments: str) -> str:
    with pytest.raises(ValidationError) as caught:
        Params(**arguments)  # type: ignore[arg-type]
    return explain(caught.value, Params)


def test_the_job_id_of_scrapyd_is_known() -> None:
    assert Params(_job="abc").job == "abc"  # type: ignore[call-arg]


def test_an_unknown_argument_names_itself_and_its_neighbour() -> None:
    assert explained(limt="3") == "argument `limt` is unknown. Did you mean `limit`? There are: download, q, limit"


def test_a_wrong_value_names_the_argument_and_what_it_takes() -> None:
    assert explained(limit="many") == "argument `limit` takes a whole number; got 'many'"


def test_every_wrong_argument_has_its_line() -> None:
    assert len(explained(limit="many", q=" ", x="1").splitlines()) == 3


@pytest.mark.parametrize(
    ("given", "download"),
    [({}, True), ({"download": "1"}, True), ({"download": "0"}, False)],
)
def test_what_is_found_is_fetched_unless_a_list_is_wanted(given: dict[str, str], download: bool) -> None:
    params = Params(**given)  # type: ignore[arg-type]
    assert params.download is download
    assert params.outcome is (None if download else Outcome.LISTED)


@pytest.mark.parametrize("text", ["", "2", "-1", "later", "0,1"])
def test_a_wrong_word_for_fetching_is_said(text: str) -> None:
    takes = "`0` (list what there is, and fetch none of it) or `1`"
    assert explained(download=text) == f"argument `download` takes {takes}; got {text!r}"


@pytest.mark.parametrize(("text", "keyword"), [(" red  panda\t", "red panda"), ("猫", "猫")])
def test_white_space_in_a_keyword_is_folded(text: str, keyword: str) -> None:
    assert clean_keyword(text) == keyword


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "a\x1b[31mb", "a\x9b31mb"])
def test_a_keyword_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="It "):
        clean_keyword(text)


@pytest.mark.parametrize(
    ("name", "body", "keywords"),
    [
        ("a.txt", b"cats\n\n  dogs \ncats\n", ["cats", "dogs"]),
        ("a.txt", "\ufeffقطط\r\n猫\r\n".encode(), ["قطط", "猫"]),
        ("a.txt", b"cats, dogs\n", ["cats, dogs"]),
        ("a.csv", b'"cats, big",x\ndogs,y\n,z\n', ["cats, big", "dogs"]),
        ("A.CSV", b"cats", ["cats"]),
    ],
)
def test_keyword_files(tmp_path: Path, name: str, body: bytes, keywords: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    assert read_list(path, clean_keyword, "keyword") == keywords


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("a.json", b"[]", "neither .txt nor .csv"),
        ("a.txt", b"", "has no keyword"),
        ("a.txt", b"cats\n\xff\xfe\n", "line 2: not UTF-8"),
        ("a.csv", b'cats\n"dogs\nlions\n', "after line 1: unexpected end of data; is a quotation mark left open"),
        ("a.csv", b"cats\n\x07\n", "line 2: It has a control character"),
    ],
)
def test_a_bad_keyword_file_is_named(tmp_path: Path, name: str, body: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(ValueError, match=message) as caught:
        read_list(path, clean_keyword, "keyword")
    assert str(path) in str(caught.value)


def test_a_folder_is_no_keyword_file(tmp_path: Path) -> None:
    folder = tmp_path / "a.txt"
    folder.mkdir()
    with pytest.raises(ValueError, match="cannot be read"):
        read_list(folder, clean_keyword, "keyword")


def _code(text: str) -> str:
    if not text.strip().isdigit():
        raise ValueError(f"`{text}` is no code")
    return text.strip().zfill(4)


def test_a_list_of_other_things_is_cleaned_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("625\n\n 0625 \n9702\n", "utf-8")
    assert read_list(path, _code, "code") == ["0625", "9702"]
    given = TypeAdapter(Annotated[list[str], listed_in_file(_code, "code")])
    assert given.validate_python(str(path)) == ["0625", "9702"]
    path.write_text("0625\nphysics\n", "utf-8")
    with pytest.raises(ValidationError, match="line 2: `physics` is no code"):
        given.validate_python(str(path))
    path.write_text("\n", "utf-8")
    with pytest.raises(ValidationError, match="has no code in it"):
        given.validate_python(str(path))
    with pytest.raises(ValidationError, match="There is no such file"):
        given.validate_python(str(tmp_path / "none.txt"))
    with pytest.raises(ValidationError, match="That is a folder"):
        given.validate_python(str(tmp_path))


class Papers(SpiderParams):
    types: Annotated[list[str], words(r"[a-z]{2}")] | None = Field(None, description="two letters each")
    years: Years | None = Field(None, description="years")


@pytest.mark.parametrize(
    ("text", "found"), [("qp", ["qp"]), (" QP , ms", ["qp", "ms"]), ("ms,qp,MS", ["ms", "qp", "ms"])]
)
def test_words_have_commas_between(text: str, found: list[str]) -> None:
    assert Papers(types=text).types == found


@pytest.mark.parametrize("text", ["", "qp,", ",qp", "qp,,ms", "qp ms", "paper", "q", "q1", "qp;ms"])
def test_words_that_are_none_are_said(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Papers(types=text)
    said = explain(caught.value, Papers)
    assert said.startswith(f"argument `types` takes two letters each; got {text!r}. ")
    assert "\n" not in said
    assert said.endswith(("is none", "A word is missing"))


def test_any_words_will_do_where_nothing_is_said_of_them() -> None:
    given = TypeAdapter(Annotated[list[str], words()])
    assert given.validate_python("a b, ?") == ["a b", "?"]
    with pytest.raises(ValidationError, match="A word is missing"):
        given.validate_python("a,,b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2018", [2018]),
        ("2018-2020", [2018, 2019, 2020]),
        (" 2018 - 2019 ", [2018, 2019]),
        ("2020,2016,2018-2019", [2016, 2018, 2019, 2020]),
        ("2018-2020,2019", [2018, 2019, 2020]),
        ("2018-2018", [2018]),
        ("1999-2001", [1999, 2000, 2001]),
    ],
)
def test_years(text: str, found: list[int]) -> None:
    assert years(text) == Papers(years=text).years == found


@pytest.mark.parametrize(
    "text",
    ["", ",", "2018,", "18", "2018-", "-2018", "2018-19", "2018-2019-2020", "3018", "1899", "2018 2019", "all", "٢٠١٨"],
)
def test_years_that_are_none_are_said(text: str) -> None:
    with pytest.raises(ValueError, match="is none"):
        years(text)
    with pytest.raises(ValidationError) as caught:
        Papers(years=text)
    assert explain(caught.value, Papers).startswith(f"argument `years` takes years; got {text!r}. ")


def test_years_that_end_before_they_begin_are_said() -> None:
    with pytest.raises(ValueError, match="`2020-2018` ends before it begins"):
        years("2016,2020-2018")


QUERY = "https://x.example/?q=%C3%9F&r=%C3%A9"


class Pages(SpiderParams):
    url: WebPages | None = Field(None, description="pages")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example/x", ["https://a.example/x"]),
        ("http://a.example", ["http://a.example"]),
        ("HTTP://A.example/X", ["http://a.example/X"]),
        ("a.example/x?q=http://b.example", ["https://a.example/x?q=http://b.example"]),
        ("a.example:8443/x", ["https://a.example:8443/x"]),
        ("localhost:8000 localhost", ["https://localhost:8000", "https://localhost"]),
        ("http://localhost/x", ["http://localhost/x"]),
        ("http://[::1]:8000/ 127.0.0.1:8000", ["http://[::1]:8000/", "https://127.0.0.1:8000"]),
        ("пример.испытание", ["https://xn--e1afmkfd.xn--80akhbyknj4f"]),
        ("https://a.example/x#top a.example#x", ["https://a.example/x", "https://a.example"]),
        ("https://a.example/é/Ü x.example?q=ß&r=%C3%A9#ü", ["https://a.example/%C3%A9/%C3%9C", QUERY]),
        ("https://a.example/x#1 https://a.example/x#2", ["https://a.example/x"]),
        (" a.example\n\tb.example  a.example ", ["https://a.example", "https://b.example"]),
        ("a.example https://a.example http://a.example", ["https://a.example", "http://a.example"]),
    ],
)
def test_pages_have_spaces_between_and_need_no_https(text: str, found: list[str]) -> None:
    assert web_pages(text) == Pages(url=text).url == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is none"),
        (" \n ", "There is none"),
        ("cats", "`cats` has no host"),
        ("a.example cats", "`cats` has no host"),
        ("/work/page.html", "`/work/page.html` has no host"),
        ("https:///x", "`https:///x` has no host"),
        ("https://", "`https://` has no host"),
        ("ftp://a.example/x", "`ftp://a.example/x` is neither http: nor https:"),
        ("file:///etc/passwd", "`file:///etc/passwd` is neither http: nor https:"),
        ("javascript:alert(1)", "`javascript:alert(1)` is neither http: nor https:"),
        ("data:text/html,x", "`data:text/html,x` is neither http: nor https:"),
        ("mailto:x", "`mailto:x` is neither http: nor https:"),
        ("https://[::1/x", "`https://[::1/x` is none, as far as its host and port go"),
        ("a.example:port/x", "`a.example:port/x` is neither http: nor https:"),
        ("https://a.example:port/x", "`https://a.example:port/x` is none, as far as its host and port go"),
        ("a.example:99999", "`a.example:99999` is none, as far as its host and port go"),
    ],
)
def test_pages_that_are_none_are_said(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Pages(url=text)
    said = explain(caught.value, Pages)
    assert said.startswith(f"argument `url` takes pages; got {text!r}. {message}")
    assert "\n" not in said


PASSWORD = "5ecret"


def said_of(url: str) -> str:
    with pytest.raises(ValidationError) as caught:
        Pages(url=url)
    return explain(caught.value, Pages)


@pytest.mark.parametrize(
    "url",
    [f"https://ada:{PASSWORD}@a.example/x", f"a.example http://ada:{PASSWORD}@a.example", "https://ada@a.example"],
)
def test_a_page_with_a_name_or_password_is_refused(url: str) -> None:
    assert said_of(url).endswith("A name or password in an address would stand in every line of the feed")


@pytest.mark.parametrize(
    "url",
    [
        f"https://ada:{PASSWORD}@a.example/x",
        f"ada:{PASSWORD}@a.example/x",
        f"ftp://ada:{PASSWORD}@a.example/x",
        f"https://ada:{PASSWORD}@a.example:port/x",
        f"https://ada:{PASSWORD}/@a.example/x",
    ],
)
def test_no_message_shows_a_password(url: str) -> None:
    assert PASSWORD not in said_of(url)


# Cookies

HEADER = "# Netscape HTTP Cookie File\n"
SECRET = "5ecret"


class Cookies(SpiderParams):
    cookies: Annotated[ExistingFile, cookie_file("site.example")] | None = Field(None, description="a cookies.txt")


def cookie(domain: str = ".site.example", name: str = "session", *, expires: object = 0, value: str = SECRET) -> str:
    """A line of a cookies.txt."""
    below = str(domain.startswith(".")).upper()
    return "\t".join([domain, below, "/", "TRUE", str(expires), name, value]) + "\n"


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    return tmp_path / "cookies.txt"


def names_in(jar: Path, *lines: str) -> list[str]:
    jar.write_text(HEADER + "".join(lines), "utf-8")
    return [cookie["name"] for cookie in read_cookies(jar, "site.example")]


def test_cookies_are_as_scrapy_takes_them(jar: Path) -> None:
    jar.write_text(f"{HEADER}\n# a remark\n{cookie()}.site.example\tTRUE\t/a/b\tFALSE\t0\tempty\t\n", "utf-8")
    assert read_cookies(jar, "site.example") == [
        {"name": "session", "value": SECRET, "domain": ".site.example", "path": "/"},
        {"name": "empty", "value": "", "domain": ".site.example", "path": "/a/b"},
    ]


@pytest.mark.parametrize(
    ("domain", "is_kept"),
    [
        (".site.example", True),
        ("site.example", True),
        ("www.site.example", True),
        (".old.site.example", True),
        ("notsite.example", False),
        (".notsite.example", False),
        ("site.example.org", False),
        (".example", False),
        ("other.example", False),
    ],
)
def test_cookies_of_other_domains_are_left_out(jar: Path, domain: str, is_kept: bool) -> None:
    assert names_in(jar, cookie(), cookie(domain, "tested")) == ["session"] + ["tested"] * is_kept


@pytest.mark.parametrize(
    ("expires", "is_kept"),
    [(0, True), ("", True), (9_999_999_999, True), (1_000_100, True), (1_000_000, False), (999_999, False), (1, False)],
)
def test_cookies_that_have_expired_are_left_out(
    jar: Path, monkeypatch: pytest.MonkeyPatch, expires: object, is_kept: bool
) -> None:
    """Those without an end live as long as the browser, whose own sign for it is a 0."""
    monkeypatch.setattr("imagecrawl.params.time", SimpleNamespace(time=lambda: 1_000_000.0))
    assert names_in(jar, cookie(), cookie(name="tested", expires=expires)) == ["session"] + ["tested"] * is_kept


def test_a_cookie_without_a_name_has_an_empty_value(jar: Path) -> None:
    jar.write_text(HEADER + cookie(name="", value="alone"), "utf-8")
    assert [(found["name"], found["value"]) for found in read_cookies(jar, "site.example")] == [("alone", "")]


def test_cookies_that_scripts_do_not_see_are_cookies(jar: Path) -> None:
    assert names_in(jar, f"#HttpOnly_{cookie(name='hidden')}", cookie()) == ["hidden", "session"]


def test_cookie_files_of_any_system_are_read(jar: Path) -> None:
    jar.write_bytes((HEADER + cookie() + cookie(name="other")).replace("\n", "\r\n").encode())
    assert [found["value"] for found in read_cookies(jar, "site.example")] == [SECRET, SECRET]


UNREADABLE = "The file is no cookies.txt"
EMPTY = "It has no cookie of site.example, or only such that have expired"

WRONG_JARS = [
    (b"", UNREADABLE),
    (f'[{{"name": "session", "value": "{SECRET}"}}]'.encode(), UNREADABLE),
    (cookie().encode(), UNREADABLE),
    (b"\xff\xfe\x00" + SECRET.encode(), "The file is no text"),
    (HEADER.encode() + cookie(value=f"{SECRET}\xff").encode("latin-1"), "The file is no text"),
    (HEADER.encode(), EMPTY),
    ((HEADER + cookie("other.example")).encode(), EMPTY),
    ((HEADER + cookie(expires=1)).encode(), EMPTY),
]

DAMAGED_LINES = {
    "spaces for tabs": cookie().replace("\t", " "),
    "a column less": cookie().replace("/\t", ""),
    "the value in place of the time": cookie(expires=SECRET),
    "a column more": cookie().replace("\n", f"\t{SECRET}\n"),
    "another mark of the domain": cookie().replace("TRUE", "FALSE", 1),
}


def assert_told_without_secrets(jar: Path, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cookies(cookies=str(jar))  # type: ignore[call-arg,arg-type]
    said = explain(caught.value, Cookies)
    assert said.startswith(f"argument `cookies` takes a cookies.txt; got {str(jar)!r}. {message}")
    assert "\n" not in said
    assert SECRET not in "".join([said, repr(caught.value), *traceback.format_exception(caught.value)])


@pytest.mark.parametrize(("body", "message"), WRONG_JARS)
def test_a_cookie_file_that_cannot_be_used_is_said(jar: Path, body: bytes, message: str) -> None:
    jar.write_bytes(body)
    with pytest.raises(ValueError, match=message):
        read_cookies(jar, "site.example")
    assert_told_without_secrets(jar, message)


@pytest.mark.parametrize("line", DAMAGED_LINES.values(), ids=list(DAMAGED_LINES))
def test_a_damaged_cookie_file_is_said(jar: Path, line: str) -> None:
    jar.write_text(HEADER + line, "utf-8")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert_told_without_secrets(jar, UNREADABLE)
    assert [str(warning.message) for warning in warned] == []


def test_a_cookie_file_is_an_existing_file(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="That is a folder"):
        Cookies(cookies=str(tmp_path))  # type: ignore[call-arg,arg-type]
    with pytest.raises(ValidationError, match="There is no such file"):
        Cookies(cookies=str(tmp_path / "none.txt"))  # type: ignore[call-arg,arg-type]


def test_arguments_do_not_show_cookies(jar: Path) -> None:
    jar.write_text(HEADER + cookie(), "utf-8")
    params = Cookies(cookies=str(jar))  # type: ignore[call-arg,arg-type]
    assert params.cookies == jar.resolve()
    assert SECRET not in f"{params!r} {params} {params.model_dump()} {params.model_dump_json()}"
