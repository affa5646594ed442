"""The arguments of ``scrapy crawl urls``, and every list that is none."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from imagecrawl.lists import Columns
from imagecrawl.params import explain
from spiders.urls import UrlsParams
from tests.crawling import ROOT, crawl
from tests.lists.lists import parquet, written

URL = "https://a.example/1.jpg"
TABLE = f"url,label,text,licence,year\n{URL},cats,a cat,CC0,1999\n"
FORMS = ".txt, .csv, .tsv, .jsonl, .json or .parquet"


def params(path: Path, **arguments: str) -> UrlsParams:
    return UrlsParams(file=path, **arguments)  # type: ignore[arg-type]


def explained(path: Path | str | None, **arguments: str) -> str:
    """What is said of arguments, in one line."""
    given = {} if path is None else {"file": str(path)}
    with pytest.raises(ValidationError) as caught:
        UrlsParams(**given, **arguments)  # type: ignore[arg-type]
    said = explain(caught.value, UrlsParams)
    assert len(said.splitlines()) == 1
    return said


# What is taken


def test_columns_are_found_by_themselves(tmp_path: Path) -> None:
    given = params(written(tmp_path, "list.csv", TABLE))
    assert given.columns == Columns()
    assert given.download and given.outcome is None


def test_columns_are_named_as_one_likes(tmp_path: Path) -> None:
    words = {"url_column": "URL", "keyword_column": "licence", "caption_column": "Label", "extra_columns": "year, text"}
    assert params(written(tmp_path, "list.csv", TABLE), **words).columns == Columns(
        url="URL", keyword="licence", caption="Label", extra=("year", "text")
    )
    assert params(written(tmp_path, "list.csv", TABLE), extra_columns="*").columns == Columns(extra=("*",))


def test_a_list_may_lie_behind_a_link(tmp_path: Path) -> None:
    path = written(tmp_path, "list.csv", TABLE)
    (tmp_path / "link.csv").symlink_to(path)
    assert params(tmp_path / "link.csv").file == path


# What is not


def test_a_list_is_needed() -> None:
    assert explained(None) == f"argument `file` is missing: it takes a list of pictures: {FORMS}"


@pytest.mark.parametrize(
    ("file", "message"), [("", "That is a folder"), (".", "That is a folder"), ("none.txt", "There is no such file")]
)
def test_what_is_no_file_is_said(tmp_path: Path, file: str, message: str) -> None:
    path = str(tmp_path / file) if file else ""
    assert explained(path) == f"argument `file` takes a list of pictures: {FORMS}; got {path!r}. {message}"


HALF_A_FEED = '{"source": "x", "outcome": "stored"}\n'


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("list.xlsx", "PK", ": its name ends in none of .txt .csv .tsv .jsonl .ndjson .json .parquet, nor in one of"),
        ("list", URL, ": its name ends in none of .txt .csv"),
        ("list.parquet.gz", "", ": a parquet file is packed inside: unpack it first"),
        ("list.txt", "", " has no URL in it"),
        ("list.txt.gz", "# nothing\n\n", " has no URL in it"),
        ("list.csv", "url,label\n", " has no URL in it"),
        ("list.jsonl", "\n", " has no URL in it"),
        ("list.json", "{}", " has no URL in it"),
        ("list.csv", "name,colour\ncats,red\n", ": no column with a name known for URLs; name it with url_column. "),
        ("list.jsonl", HALF_A_FEED, ": no column with a name known for URLs; name it with url_column. "),
        ("list.json", "5", ": it is neither a list nor a dictionary"),
        ("list.txt", "{'cats': [", ": neither JSON ("),
        ("list.txt", "\0\1\2\3", ": it is no text in UTF-8"),
        ("list.txt", gzip.compress(URL.encode(), mtime=0), ": it is no text, but gzip: let its name end in .gz"),
        ("list.parquet", "PAR1", ": it is no parquet file that can be read: "),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_said(tmp_path: Path, name: str, body: str | bytes, message: str) -> None:
    path = written(tmp_path, name, body)
    said = explained(path)
    assert said.startswith(str(path)) and message in said


def test_a_packed_list_that_is_none_is_said(tmp_path: Path) -> None:
    for suffix, kind in ((".gz", "gzip"), (".zst", "zstd")):
        path = tmp_path / f"list.txt{suffix}"
        path.write_text(URL)
        assert explained(path).startswith(f"{path}: it is no {kind} file: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url_column": "Urll"}, "no column `Urll` (url_column). Did you mean `url`? There are: `url`, `label`, `t"),
        ({"keyword_column": "animal"}, "no column `animal` (keyword_column). There are: `url`, `label`, `text`"),
        ({"caption_column": "words"}, "no column `words` (caption_column). "),
        ({"extra_columns": "year,place"}, "no column `place` (extra_columns). "),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_column_that_is_missing_is_said(tmp_path: Path, kind: str, arguments: dict[str, str], message: str) -> None:
    values = {"url": URL, "label": "cats", "text": "a cat", "licence": "CC0", "year": 1999}
    path = {
        "csv": lambda: written(tmp_path, "list.csv", TABLE),
        "jsonl": lambda: written(tmp_path, "list.jsonl", str(values).replace("'", '"')),
        "parquet": lambda: parquet(tmp_path, {name: [value] for name, value in values.items()}),
    }[kind]()
    assert explained(path, **arguments).startswith(f"{path}: {message}")


@pytest.mark.parametrize("argument", ["url_column", "keyword_column", "caption_column", "extra_columns"])
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("list.txt", f"cats\t{URL}\n"),
        ("list.jsonl", f'"{URL}"\n'),
        ("list.json", f'["{URL}"]'),
        ("list.json", f'{{"cats": ["{URL}"]}}'),
        ("keyword_urls.txt", f"{{'cats': ['{URL}']}}"),
    ],
)
def test_a_list_without_columns_has_none_to_name(tmp_path: Path, argument: str, name: str, body: str) -> None:
    path = written(tmp_path, name, body)
    assert explained(path, **{argument: "link"}) == (
        f"{path}: there are no columns in this kind of list, and {argument} names `link`"
    )


@pytest.mark.parametrize("argument", ["url_column", "keyword_column", "caption_column"])
def test_a_column_needs_a_name(tmp_path: Path, argument: str) -> None:
    path = written(tmp_path, "list.csv", TABLE)
    for text in ("", " "):
        assert explained(path, **{argument: text}).startswith(f"argument `{argument}` takes the name of the column")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": URL}, "argument `url` is unknown. There are: download, file, "),
        ({"urls_column": "x"}, "argument `urls_column` is unknown. Did you mean `url_column`?"),
        ({"download": "no thanks"}, "argument `download` takes `0` (list what there is, and fetch none of it) or "),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(tmp_path: Path, arguments: dict[str, str], message: str) -> None:
    assert explained(written(tmp_path, "list.csv", TABLE), **arguments).startswith(message)


# Real runs


def test_parquet_without_pyarrow_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"url": [URL]})
    (tmp_path / "stub" / "pyarrow").mkdir(parents=True)
    (tmp_path / "stub" / "pyarrow" / "__init__.py").write_text("raise ImportError('not installed')\n")
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = crawl(
        tmp_path / "data", f"file={path}", spider="urls", env={**nowhere, "PYTHONPATH": f"{tmp_path / 'stub'}:{ROOT}"}
    )
    assert done.code == 2, done.stderr
    assert f"{path}: needs pyarrow: pip install 'imagecrawl[parquet]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_readme_names_every_argument() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme[readme.index("`urls` downloads") :]
    for name, field in UrlsParams.model_fields.items():
        assert name == "job" or re.search(rf"\n\|(?: `\w+`)* `{field.alias or name}`[ `\w]*\|", section), name
