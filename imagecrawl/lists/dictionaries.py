"""A dictionary ``{keyword: [url, ...]}``: JSON, or the Python literal that older scripts wrote."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

from imagecrawl.lists.columns import Columns, refuse_columns
from imagecrawl.lists.json_text import JsonText, NoJsonError
from imagecrawl.lists.rows import BadRow, Row, make_row, shown
from imagecrawl.lists.sources import Source, UnreadableError, opened

LITERAL_BYTES = 32 * 2**20
"""The largest Python literal: it is parsed as a whole, in about eleven times its size. JSON has no bound."""

_NO_LITERAL = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)
"""What ``ast`` raises: of these MemoryError is what its parser says of too many parentheses."""


def read_dictionary(source: Source, asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    """The rows of a dictionary; raises UnreadableError."""
    refuse_columns(asked)
    return Columns(), _rows(source)


def _rows(source: Source) -> Iterator[Row | BadRow]:
    read = 0
    try:
        for row in _json_rows(JsonText(source.chunks)):
            yield row
            read += 1
    except NoJsonError as error:
        problem = error
    else:
        return
    # A list with a quotation mark in its first URLs may look like JSON until then.
    yield from islice(_literal_rows(_literal(source, problem)), read, None)


def _json_rows(text: JsonText) -> Iterator[Row | BadRow]:
    text.take("{")
    if text.peek() == "}":
        text.take("}")
    else:
        while True:
            keyword, _ = text.value()
            if not isinstance(keyword, str):
                raise NoJsonError("no JSON: a keyword has no quotation marks", text.line)
            text.take(":")
            yield from _json_urls(text, keyword)
            if text.take(",}") == "}":
                break
    text.end()


def _json_urls(text: JsonText, keyword: str) -> Iterator[Row | BadRow]:
    if text.peek() != "[":
        line = text.line
        text.value()
        yield _no_list(line, keyword)
        return
    for line, url, _ in text.elements():
        yield make_row(line, url, keyword)


def _no_list(line: int, keyword: Any) -> BadRow:
    return BadRow(line, f"what {shown(str(keyword))} has is no list of URLs")


def _literal(source: Source, no_json: NoJsonError) -> ast.Dict:
    """The file as the tree of a Python literal; nothing in it is executed."""
    text = _whole_text(source, no_json)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash that means nothing
            tree = ast.parse(text.lstrip(), mode="eval").body
            ast.increment_lineno(tree, text[: len(text) - len(text.lstrip())].count("\n"))
    except _NO_LITERAL as error:
        raise _neither(no_json, getattr(error, "msg", None) or "nested too deeply") from error
    if not isinstance(tree, ast.Dict):
        raise _neither(no_json, "that is no dictionary")
    return tree


def _neither(no_json: NoJsonError, why: str) -> UnreadableError:
    return UnreadableError(f"neither JSON ({no_json}) nor a Python literal ({why})", no_json.line)


def _whole_text(source: Source, no_json: NoJsonError) -> str:
    body = bytearray()
    with opened(source.path) as again:
        for chunk in again.chunks:
            body += chunk
            if len(body) > LITERAL_BYTES:
                raise _neither(no_json, f"one may have {LITERAL_BYTES:,} bytes, this has more")
    text = body.decode("utf-8", "surrogateescape").replace("\0", "\\x00")
    # What cannot be in a program is written as the escape of what make_row finds.
    return re.sub("[\udc80-\udcff]", lambda half: f"\\u{ord(half[0]):x}", text)


def _literal_rows(tree: ast.Dict) -> Iterator[Row | BadRow]:
    for key, value in zip(tree.keys, tree.values, strict=True):
        try:
            keyword = ast.literal_eval(key) if key is not None else None
        except _NO_LITERAL:
            yield BadRow(value.lineno, "its keyword is no literal")
            continue
        if not isinstance(value, ast.List | ast.Tuple | ast.Set):
            yield _no_list(value.lineno, keyword)
            continue
        for element in value.elts:
            try:
                yield make_row(element.lineno, ast.literal_eval(element), keyword)
            except _NO_LITERAL:
                yield BadRow(element.lineno, "no literal, and nothing else is read")
