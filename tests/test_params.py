from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from imagecrawl.params import (
    Keyword,
    SpiderParams,
    Years,
    clean_keyword,
    explain,
    listed_in_file,
    read_list,
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
    assert explained(limt="3") == "argument `limt` is unknown. Did you mean `limit`? There are: q, limit"


def test_a_wrong_value_names_the_argument_and_what_it_takes() -> None:
    assert explained(limit="many") == "argument `limit` takes a whole number; got 'many'"


def test_every_wrong_argument_has_its_line() -> None:
    assert len(explained(limit="many", q=" ", x="1").splitlines()) == 3


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
