"""The ground of all spider arguments: declared once as a pydantic model, validated before anything is fetched."""

from __future__ import annotations

import csv
import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


class SpiderParams(BaseModel):
    """Base of every spider's arguments: an unknown one is an error, and Scrapyd's ``_job`` is known.

    A field's ``description`` says what the argument takes: it stands in error messages and in the README's table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    job: str | None = Field(None, alias="_job", description="the job's id, given by Scrapyd")


def explain(error: ValidationError, params: type[BaseModel]) -> str:
    """What is wrong with a spider's arguments, one line each, every line with the argument and what it takes."""
    return "\n".join(_lines(error, params))


def _lines(error: ValidationError, params: type[BaseModel]) -> Iterator[str]:
    names = {field.alias or name: field for name, field in params.model_fields.items()}
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            yield _unknown(name, [known for known in names if not known.startswith("_")])
        elif name in names:
            yield f"argument `{name}` takes {names[name].description}; got {problem['input']!r} ({message})"
        else:
            yield message


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return f"argument `{name}` is unknown.{hint} There are: {', '.join(known)}"


def clean_keyword(text: str) -> str:
    """One keyword: white space folded; raises ValueError when nothing is left or a character cannot be shown."""
    keyword = " ".join(text.split())
    if not keyword:
        raise ValueError("it is empty")
    if any(unicodedata.category(character) == "Cc" for character in keyword):
        raise ValueError("it has a control character")
    return keyword


def read_keywords(path: Path) -> list[str]:
    """The keywords of a .txt or .csv file: one a line, the first column, no header; blank lines and repeats skipped.

    UTF-8 with or without BOM. Raises ValueError naming the file, and the line where it is one.
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
    keywords = dict.fromkeys(_keywords_of(path, text))
    if not keywords:
        raise ValueError(f"{path} has no keyword in it")
    return list(keywords)


def _keywords_of(path: Path, text: str) -> Iterator[str]:
    lines = text.splitlines()
    cells = ((row[0] if row else "") for row in csv.reader(lines)) if path.suffix.lower() == ".csv" else iter(lines)
    for number, cell in enumerate(cells, start=1):
        if cell.strip():
            try:
                yield clean_keyword(cell)
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("there is no such file")
    return path.resolve()


def _keyword_file(path: Path) -> Path:
    read_keywords(path)
    return path


def one_of(words: Iterable[str]) -> AfterValidator:
    """A validator for an argument that takes one of ``words``."""
    known = list(words)

    def check(word: str) -> str:
        if word not in known:
            raise ValueError("it is none of them")
        return word

    return AfterValidator(check)


Keyword = Annotated[str, AfterValidator(clean_keyword)]
ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
KeywordFile = Annotated[ExistingFile, AfterValidator(_keyword_file)]
