"""The ground of all spider arguments: declared once as a pydantic model, validated before anything is fetched."""

from __future__ import annotations

import csv
import difflib
import io
import re
import time
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from http.cookiejar import LoadError, MozillaCookieJar
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from w3lib.url import safe_url_string

from imagecrawl.outcomes import Outcome


class SpiderParams(BaseModel):
    """Base of every spider's arguments: an unknown one is an error, and Scrapyd's ``_job`` is known.

    A field's ``description`` says what the argument takes: it stands in error messages and in the README's table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    download: bool = Field(True, description="`0` (list what there is, and fetch none of it) or `1`")
    job: str | None = Field(None, alias="_job", description="the job's id, given by Scrapyd")

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of every item from the start: that it is listed, or ``None``, since it is yet to come."""
        return None if self.download else Outcome.LISTED


_PASSWORD = re.compile(r"""[^\s'"`]*:[^\s'"`]*@""")
"""What may stand before the host of an address."""


def explain(error: ValidationError, params: type[BaseModel]) -> str:
    """What is wrong with a spider's arguments, one line each, every line with the argument and what it takes."""
    lines = dict.fromkeys(_lines(error, params))  # each once, though several types were tried
    return "\n".join(_PASSWORD.sub("...@", line) for line in lines)


def _lines(error: ValidationError, params: type[BaseModel]) -> Iterator[str]:
    names = {field.alias or name: field for name, field in params.model_fields.items()}
    for problem in error.errors():
        # pydantic's own messages repeat, in its terms, what the description says
        message = problem["msg"].removeprefix("Value error, ") if problem["type"] == "value_error" else ""
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            yield _unknown(name, [known for known in names if not known.startswith("_")])
        elif problem["type"] == "missing":
            yield f"argument `{name}` is missing: it takes {names[name].description}"
        elif name in names:
            got = f"argument `{name}` takes {names[name].description}; got {problem['input']!r}"
            yield f"{got}. {message}" if message else got
        else:
            yield message


def _unknown(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known)
    return f"argument `{name}` is unknown. {f'{hint} ' if hint else ''}There are: {', '.join(known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with the nearest of ``known``; empty when none is near.

    >>> did_you_mean("larg", ["large", "medium"]), did_you_mean("x", ["large"])
    ('Did you mean `large`?', '')
    """
    close = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f"Did you mean `{close[0]}`?" if close else ""


def clean_keyword(text: str) -> str:
    """One keyword: white space folded; raises ValueError when nothing is left or a character cannot be shown."""
    keyword = " ".join(text.split())
    if not keyword:
        raise ValueError("It is empty")
    if any(unicodedata.category(character) == "Cc" for character in keyword):
        raise ValueError("It has a control character")
    return keyword


def read_list(path: Path, clean: Callable[[str], str], noun: str) -> list[str]:
    """What a .txt or .csv file lists: one a line, the first column, no header; blank lines and repeats skipped.

    UTF-8 with or without BOM. ``clean`` makes each what it should be or raises ValueError. Raises ValueError naming the
    file, and the line where it is one.
    """
    if path.suffix.lower() not in {".txt", ".csv"}:
        raise ValueError(f"{path} is neither .txt nor .csv")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8") from error
    found = dict.fromkeys(_cells_of(path, text, clean))
    if not found:
        raise ValueError(f"{path} has no {noun} in it")
    return list(found)


def _cells_of(path: Path, text: str, clean: Callable[[str], str]) -> Iterator[str]:
    read = _csv_cells if path.suffix.lower() == ".csv" else _lines_of
    number = 0  # of the line that an error names
    try:
        for number, cell in read(text):  # noqa: B007
            if cell.strip():
                yield clean(cell)
    except ValueError as error:
        raise ValueError(f"{path}, line {number}: {error}") from error
    except csv.Error as error:
        raise ValueError(f"{path}, after line {number}: {error}; is a quotation mark left open?") from error


def _lines_of(text: str) -> Iterator[tuple[int, str]]:
    yield from enumerate(text.split("\n"), start=1)


def _csv_cells(text: str) -> Iterator[tuple[int, str]]:
    """The first column with the number of the line that each ends on; raises csv.Error."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for row in reader:
        yield reader.line_num, row[0] if row else ""


def _existing_file(path: Path) -> Path:
    if path.is_dir():
        raise ValueError("That is a folder")
    if not path.is_file():
        raise ValueError("There is no such file")
    return path.resolve()


def _saved_page(path: Path) -> Path:
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise ValueError("The file is empty")
    if b"\0" in head:
        raise ValueError("The file is no text")
    return path


def one_of(words: Iterable[str]) -> AfterValidator:
    """A validator for an argument that takes one of ``words``."""
    known = list(words)

    def check(word: str) -> str:
        if word not in known:
            raise ValueError(did_you_mean(word, known))
        return word

    return AfterValidator(check)


def read_cookies(path: Path, domain: str) -> list[dict[str, str]]:
    """The cookies for ``domain`` in a file of Netscape's format (``cookies.txt``), as Scrapy takes them.

    Raises ValueError when there is none that has not expired; it never tells what is in the file.
    """
    jar = MozillaCookieJar(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they show the line
            jar.load(ignore_discard=True, ignore_expires=True)
    except UnicodeDecodeError:
        raise ValueError("The file is no text") from None
    except LoadError:
        raise ValueError(
            "The file is no cookies.txt: that begins with `# Netscape HTTP Cookie File`, "
            "and each line has seven columns with tabs between"
        ) from None
    except OSError as error:
        raise ValueError(f"The file cannot be read: {error.strerror}") from None
    found = [
        {"name": cookie.name, "value": cookie.value or "", "domain": cookie.domain, "path": cookie.path}
        for cookie in jar
        if f".{cookie.domain}".endswith(f".{domain}")
        and (not cookie.expires or cookie.expires > time.time())  # browsers write 0 for the end of the session
    ]
    if not found:
        raise ValueError(f"It has no cookie of {domain}, or only such that have expired")
    return found


def cookie_file(domain: str) -> AfterValidator:
    """A validator for an argument that takes the path of a file for :func:`read_cookies`."""

    def check(path: Path) -> Path:
        read_cookies(path, domain)
        return path  # and not the cookies: arguments are shown

    return AfterValidator(check)


Keyword = Annotated[str, AfterValidator(clean_keyword)]
ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
SavedPage = Annotated[ExistingFile, AfterValidator(_saved_page)]


def listed_in_file(clean: Callable[[str], str], noun: str) -> BeforeValidator:
    """A validator for an argument that takes the path of a file; its value is what :func:`read_list` finds there."""
    return BeforeValidator(lambda path: read_list(_existing_file(Path(path)), clean, noun))


def words(pattern: str = r".+") -> BeforeValidator:
    """A validator for an argument that takes words with commas between, in small letters, each matching ``pattern``."""

    def check(text: str) -> list[str]:
        found = [word.strip().lower() for word in text.split(",")]
        for word in found:
            if not re.fullmatch(pattern, word):
                raise ValueError(f"`{word}` is none" if word else "A word is missing")
        return found

    return BeforeValidator(check)


def years(text: str) -> list[int]:
    """The years of ``2018``, ``2018-2020`` or ``2016,2018-2020``, in order. Raises ValueError.

    >>> years("2016, 2018-2020")
    [2016, 2018, 2019, 2020]
    """
    found: set[int] = set()
    for part in text.split(","):
        bounds = re.fullmatch(r"\s*((?:19|20)\d\d)(?:\s*-\s*((?:19|20)\d\d))?\s*", part)
        if not bounds:
            raise ValueError(f"`{part.strip()}` is none")
        first, last = int(bounds[1]), int(bounds[2] or bounds[1])
        if first > last:
            raise ValueError(f"`{part.strip()}` ends before it begins")
        found |= set(range(first, last + 1))
    return sorted(found)


def web_pages(text: str) -> list[str]:
    """The addresses of pages in a text, with spaces between, each once, as requests have them. Raises ValueError.

    >>> web_pages("https://a.example/x#top  b.example/y"), web_pages("localhost:8000/é")
    (['https://a.example/x', 'https://b.example/y'], ['https://localhost:8000/%C3%A9'])
    """
    found: dict[str, None] = {}
    for word in text.split():
        url = word if re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", word, re.IGNORECASE) else f"https://{word}"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise ValueError(f"`{word}` is none, as far as its host and port go") from error
        if parts.scheme not in {"http", "https"}:
            raise ValueError(f"`{word}` is neither http: nor https:")
        if "." not in host and ":" not in host and host != "localhost":
            raise ValueError(f"`{word}` has no host")
        if parts.username is not None:
            raise ValueError("A name or password in an address would stand in every line of the feed")
        found[safe_url_string(url.partition("#")[0])] = None
    if not found:
        raise ValueError("There is none")
    return list(found)


KeywordFile = Annotated[list[str], listed_in_file(clean_keyword, "keyword")]
WebPages = Annotated[list[str], BeforeValidator(web_pages)]
Years = Annotated[list[int], BeforeValidator(years)]
