"""What a robots.txt says, as RFC 9309 and its examples have it: https://www.rfc-editor.org/rfc/rfc9309"""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protego import Protego

from imagecrawl.robots import BODY_MAX, Robots

SITE = "https://www.a.example"
US = "User-agent: imagecrawl\n"
ALL = "User-agent: *\n"


def robots(text: str | bytes, product_token: str = "imagecrawl") -> Robots:
    return Robots(text.encode() if isinstance(text, str) else text, product_token)


def allows(text: str | bytes, path: str) -> bool:
    return robots(text).allows(SITE + path)


# Groups


@pytest.mark.parametrize(
    ("heading", "is_ours"),
    [
        ("User-agent: imagecrawl", True),
        ("User-Agent:imageCRAWL", True),
        ("  user-agent :\timagecrawl  # that one", True),
        ("User-agent: imagecrawl/0.1 (https://a.example)", True),
        ("User-agent: imagecrawl*", True),
        ("User-agent imagecrawl", True),
        ("Useragent: imagecrawl", True),
        ("User agent: imagecrawl", True),
        ("User-agent: *", True),
        ("User-agent: imagecrawler", False),
        ("User-agent: image", False),
        ("User-agent: crawl", False),
        ("User-agent: imagecrawl-news", False),
        ("User-agent: imagecrawl2", False),
        ("User-agent: my imagecrawl", False),
        ("User-agent: Mozilla/5.0 (compatible; imagecrawl)", False),
        ("User-agent:", False),
        ("# User-agent: imagecrawl", False),
        ("X-User-agent: imagecrawl", False),
    ],
)
def test_a_group_is_ours_by_its_product_token(heading: str, is_ours: bool) -> None:
    assert allows(f"{heading}\nDisallow: /", "/") is not is_ours


@pytest.mark.parametrize(
    ("text", "forbidden", "allowed"),
    [
        (f"{ALL}Disallow: /all\n\n{US}Disallow: /us", ["/us"], ["/all"]),
        (f"{US}Disallow: /us\n\n{ALL}Disallow: /all", ["/us"], ["/all"]),
        (f"{ALL}Disallow: /\n{US}", [], ["/"]),  # a group of ours, without rules
        (f"{ALL}Disallow: /\n{US}Disallow:", [], ["/"]),
        (f"{US}Disallow: /a\n{ALL}Disallow: /b\n{US}Disallow: /c", ["/a", "/c"], ["/b"]),
        (f"User-agent: x\nUser-agent: ImageCrawl\nUser-agent: y\nDisallow: /a\n{ALL}", ["/a"], ["/b"]),
        (f"{US}\n# a comment\n\nUser-agent: y\n\nDisallow: /a\n", ["/a"], ["/b"]),
        (f"{US}Disallow: /a\nUser-agent: y\nDisallow: /b\n", ["/a"], ["/b"]),
        (f"{US}Disallow:\nUser-agent: y\nDisallow: /b\n", [], ["/b"]),
        (f"{US}Content-Signal: search=yes\nUser-agent: y\nDisallow: /b\n", [], ["/b"]),
        (f"{US}Crawl-delay: 1\nUser-agent: y\nDisallow: /b\n", [], ["/b"]),
        (f"{US}Sitemap: {SITE}/map.xml\nNoodles: yes\nUser-agent: y\nDisallow: /b\n", ["/b"], []),
        ("Disallow: /a\nUser-agent: *\nDisallow: /b", ["/b"], ["/a"]),  # before any group
        ("", [], ["/", "/a?b"]),
        ("User-agent: y\nDisallow: /", [], ["/"]),
    ],
)
def test_rules_are_those_of_all_our_groups_or_of_everybodys(
    text: str, forbidden: list[str], allowed: list[str]
) -> None:
    for end in ("\n", "\r\n", "\r"):
        found = {path: allows(text.replace("\n", end), path) for path in (*forbidden, *allowed)}
        assert found == {**dict.fromkeys(forbidden, False), **dict.fromkeys(allowed, True)}


# Paths


@pytest.mark.parametrize(
    ("rules", "forbidden", "allowed"),
    [
        ("Disallow: /a", ["/a", "/a/b", "/abc", "/a?b"], ["/", "/A", "/b/a"]),
        ("Disallow: /a/", ["/a/", "/a/b"], ["/a", "/ab"]),
        ("Disallow: /\nAllow: /a", ["/", "/b"], ["/a", "/ab"]),
        ("Allow: /a\nDisallow: /a/b\nAllow: /a/b/c", ["/a/b", "/a/bc"], ["/a", "/a/b/c"]),
        ("Disallow: /a\nAllow: /a", [], ["/a"]),
        ("Allow: /a\nDisallow: /a", [], ["/a"]),
        ("Disallow: /a/*\nAllow: /a/b", ["/a/c"], ["/a/b"]),
        ("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", ["/example/page/disallowed.gif"], []),
        ("Disallow: *.gif$\nAllow: /publications/", ["/x.gif"], ["/publications/x.gif", "/x.gifs"]),
        ("Disallow: /*.gif$", ["/a.gif", "/b/c.gif", "/.gif", "/a.gif.gif"], ["/a.gif?x", "/a.gifs", "/a.GIF"]),
        ("Disallow: /a*b*c", ["/abc", "/a/b/c/d", "/aXbXc"], ["/ab", "/acb", "/bac"]),
        ("Disallow: /a*bc$", ["/abc", "/abcbc", "/a/bc"], ["/abcd", "/bc"]),
        ("Disallow: /ab*b$", ["/abb", "/abxb"], ["/ab"]),
        ("Disallow: /a*ab*ba$", ["/aabba", "/aababa"], ["/aaba", "/aba"]),
        ("Disallow: /a**b", ["/ab", "/axb"], ["/a"]),
        ("Disallow: /a$", ["/a"], ["/ab", "/a?"]),
        ("Disallow: /a$b", ["/a$b", "/a%24b"], ["/a", "/ab"]),
        ("Disallow: /a%24", ["/a$", "/a$b"], ["/a"]),
        ("Disallow: /a%2A", ["/a*", "/a%2a"], ["/ab"]),
        ("Disallow: /?*x", ["/?x", "/?a=x"], ["/x", "/"]),
        ("Disallow: /?", ["/?", "/?a"], ["/", "/%3F"]),
        ("Disallow: a", [], ["/a", "/"]),
        ("Disallow: /a # all of it", ["/a", "/ab"], ["/"]),
        ("Disallow: /a#b", ["/a", "/ab"], []),
        ("Disallow:/a", ["/a"], ["/"]),
        ("\tDISALLOW\t:\t/a\t", ["/a"], ["/"]),
        ("Disallow /a", ["/a"], ["/"]),
        ("Dissallow: /a\nDisalow: /b", ["/a", "/b"], ["/"]),
        ("Disallowed: /a\nNoindex: /a", [], ["/a"]),
        ("Disallow: /", ["/", "/a", ""], ["/robots.txt"]),
    ],
)
def test_the_longest_rule_that_matches_counts(rules: str, forbidden: list[str], allowed: list[str]) -> None:
    for text in (rules, "\n".join(reversed(rules.split("\n")))):
        found = {path: allows(ALL + text, path) for path in (*forbidden, *allowed)}
        assert found == {**dict.fromkeys(forbidden, False), **dict.fromkeys(allowed, True)}


@pytest.mark.parametrize(
    ("rule", "paths", "others"),
    [
        # The table of RFC 9309, section 2.2.2.
        ("/foo/bar?baz=quz", ["/foo/bar?baz=quz"], []),
        ("/foo/bar?baz=https://foo.bar", ["/foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar"], []),
        ("/foo/bar/\u30c4", ["/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84", "/foo/bar/\u30c4"], []),
        ("/foo/bar/%E3%83%84", ["/foo/bar/%E3%83%84", "/foo/bar/\u30c4"], []),
        ("/foo/bar/%62%61%7A", ["/foo/bar/baz", "/foo/bar/b%61z"], []),
        # And beyond it.
        ("/a b", ["/a%20b"], ["/a+b"]),
        ("/a%2Fb", ["/a%2fb"], ["/a/b"]),
        ("/a/b", ["/a/b"], ["/a%2Fb"]),
        ("/a%25b", ["/a%25b"], ["/a%b0"]),
        ("/100%", ["/100%", "/100%25"], ["/100"]),
        ("/a%zz", ["/a%zz", "/a%25zz"], []),
        (b"/caf\xe9", ["/caf%E9"], ["/caf\u00e9"]),  # Latin-1
    ],
)
def test_percent_encoding_makes_no_difference(rule: str | bytes, paths: list[str], others: list[str]) -> None:
    value = rule.encode() if isinstance(rule, str) else rule
    found = {path: allows(f"{ALL}Disallow: ".encode() + value, path) for path in (*paths, *others)}
    assert found == {**dict.fromkeys(paths, False), **dict.fromkeys(others, True)}


@pytest.mark.parametrize(
    "url",
    ["HTTPS://www.a.example/a", "http://user:pass@www.a.example:8080/a#b", f"{SITE}/a?b#c", "/a", f"{SITE}/a#?x"],
)
def test_of_an_address_only_path_and_query_count(url: str) -> None:
    assert not robots(f"{ALL}Disallow: /a").allows(url)
    assert robots(f"{ALL}Disallow: /*x\nDisallow: /*8080\nDisallow: /*%23").allows(url)


PATHS = st.text("ab/", max_size=5).map("/".__add__)
PATTERNS = st.text("ab/*", max_size=6).map("/".__add__)
RULES = st.lists(st.tuples(st.sampled_from(["Allow", "Disallow"]), PATTERNS, st.sampled_from(["", "$"])), max_size=5)


@given(rules=RULES, path=PATHS)
@example(rules=[("Disallow", "/*a", "$")], path="/aa")
def test_rules_mean_what_they_mean_to_scrapys_parser(rules: list[tuple[str, str, str]], path: str) -> None:
    # Protego takes a `$` for itself, too, and counts a run of `*` as long as it is.
    text = ALL + "".join(
        f"{name}: {pattern.replace('**', '*').replace('**', '*')}{end}\n" for name, pattern, end in rules
    )
    assert allows(text, path) == Protego.parse(text).can_fetch(SITE + path, "imagecrawl")


# What is no robots.txt


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe" * 1000,
        b"<!DOCTYPE html>\n<html><title>Not found</title>\n<body>User-agent: *\nDisallow us: /</body></html>",
        b'{"error": "no such file"}',
        "User-agent: *\nDisallow: /".encode("utf-16"),
        b"User-agent: *",
        b"Disallow: /",
        b":\n::\nUser-agent\nDisallow\n",
    ],
)
def test_what_says_nothing_allows_everything(body: bytes) -> None:
    found = robots(body)
    assert found.allows(f"{SITE}/a") and found.crawl_delay is None and found.usage(f"{SITE}/a") == {}
    assert found.size == 0


def test_lines_between_garbage_are_read() -> None:
    body = b"\x00\xff\n\xfe: \x80\nUser-agent: *\n\xc3\x28\nDisallow: /a\n\x1b[2J\nDisallow: /\xff\n"
    assert not allows(body, "/a") and not allows(body, "/%FF") and allows(body, "/b")


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert not allows(b"\xef\xbb\xbfUser-agent: *\nDisallow: /a", "/a")


@given(body=st.binary(max_size=200), url=st.text(max_size=50))
def test_any_bytes_are_a_robots_txt(body: bytes, url: str) -> None:
    for text in (body, b"User-agent: *\nDisallow: " + body, b"User-agent: *\nContent-Usage: " + body):
        found = robots(text)
        found.allows(url)
        found.usage(url)


LINES = st.sampled_from(
    ["User-agent: *", "User-agent: imagecrawl", "User-agent: x", "Allow: /", "Disallow: /", "Disallow: /%", "Allow: *$",
     "Content-Signal: ai-train=no", "Content-Usage: / search=n", "Crawl-delay: 9", "Crawl-delay: -1", "#", ":", ""]
)  # fmt: skip


@given(lines=st.lists(LINES, max_size=12), end=st.sampled_from(["\n", "\r", "\r\n", "\n\n"]))
def test_any_lines_are_a_robots_txt(lines: list[str], end: str) -> None:
    found = robots(end.join(lines))
    found.allows(SITE)
    assert set(found.usage(SITE)) <= {"ai-train", "search"}
    assert found.crawl_delay in {None, 9}


# Sizes


def padded(size: int, last: str) -> bytes:
    """A robots.txt whose last rule begins at ``size``."""
    head = ALL.encode()
    return head + b"#" * (size - len(head) - 1) + b"\n" + last.encode()


@pytest.mark.parametrize(
    ("begin", "is_read"),
    [(490 * 1024, True), (BODY_MAX - 11, True), (BODY_MAX - 10, False), (BODY_MAX, False), (1_000_000, False)],
)
def test_half_a_mebibyte_is_read_and_no_half_line(begin: int, is_read: bool) -> None:
    body = padded(begin, "Disallow:/\n" + "Allow: /a\n" * 20_000)
    assert len(body) > BODY_MAX
    assert allows(body, "/b") is not is_read
    assert allows(body.replace(b"\n", b"\r"), "/b") is not is_read


def test_a_line_that_is_cut_does_not_forbid_more_than_it_says() -> None:
    body = padded(BODY_MAX - 12, "Disallow: /a/b/c\n")
    assert allows(body, "/") and allows(body, "/a/b/c")
    assert not allows(padded(BODY_MAX - 17, "Disallow: /a/b/c\n"), "/a/b/c")


def test_a_last_line_without_an_end_is_read() -> None:
    assert not allows(f"{ALL}Disallow: /a", "/a")
    assert allows(b"x" * (BODY_MAX + 1), "/")


@pytest.mark.parametrize(
    "line", ["Disallow: /" + "*a" * 250_000, "Disallow: /" + "*" * 500_000 + "$", "User-agent: *\n" * 30_000]
)
def test_what_is_made_to_take_long_does_not(line: str) -> None:
    begun = time.process_time()
    found = robots(ALL + line)
    found.allows(f"{SITE}/{'a' * 2000}b")
    assert time.process_time() - begun < 2


def test_a_size_is_about_what_is_kept() -> None:
    assert robots(ALL + "Disallow: /a\n" * 1000).size < 200  # the same again
    assert robots("User-agent: x\n" + "Disallow: /a\n" * 1000).size == 0
    assert robots(f"{ALL}Disallow: /{'*' * 1000}").size < 200
    assert 100_000 < robots(ALL + "".join(f"Disallow: /{n}\n" for n in range(1000))).size < 200_000
    assert robots(ALL + "".join(f"Content-Usage: /{n} search=n\n" for n in range(1000))).size > 400_000


# Crawl-delay


@pytest.mark.parametrize(
    ("lines", "delay"),
    [
        ("Crawl-delay: 10", 10.0),
        ("crawl-delay:0.5 # half a second", 0.5),
        ("Crawl delay: 3", 3.0),
        ("Crawl-delay: 0", 0.0),
        ("Crawl-delay: 5\nCrawl-delay: 2", 5.0),
        ("Crawl-delay: 86400000", 86_400_000.0),
        ("Crawl-delay: ten", None),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: nan", None),
        ("Crawl-delay: inf", None),
        ("Crawl-delay: 1e9", None),
        ("Crawl-delay: " + "9" * 5000, None),
        ("Crawl-delay:", None),
        ("User-agent: x\nCrawl-delay: 10", None),
    ],
)
def test_a_delay_is_a_number_of_seconds_in_our_group(lines: str, delay: float | None) -> None:
    assert robots(f"{ALL}Disallow: /a\n{lines}").crawl_delay == delay


# What is reserved


def reserved(text: str, path: str = "/a.jpg") -> dict[str, str]:
    return robots(text).usage(SITE + path)


SIGNAL_TRAIN = {"ai-train": "robots.txt: Content-Signal: ai-train=no"}


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        (f"{ALL}Content-Signal: search=yes, ai-input=no, ai-train=no\nAllow: /", {"ai-input", "ai-train"}),
        (f"{ALL}content-signal:AI-Train=NO", {"ai-train"}),
        (f"{ALL}Content-Signal: search=no", {"search"}),
        (f"{ALL}Content-Signal: search=yes, ai-train=yes", set()),
        (f"{ALL}Content-Signal: ai-train=maybe, ai-input=", set()),
        (f"{ALL}Content-Signal:", set()),
        (f"{ALL}Content-Signal: use=reference, ai-train=no", {"ai-train"}),
        (f"{ALL}Content-Usage: / train-ai=n, search=y", {"ai-train"}),
        (f"{ALL}Content-Usage: train-ai=n", {"ai-train"}),
        (f"{ALL}Content-Usage: / train-ai=n\nContent-Signal: ai-input=no", {"ai-train", "ai-input"}),
        (f"{ALL}Content-Signal: ai-train=yes\nContent-Usage: / train-ai=n", {"ai-train"}),
        (f"{ALL}Content-Usage: / train-ai=y\nContent-Usage: / train-ai=n\nContent-Usage: / train-ai=y", {"ai-train"}),
        (f"{ALL}Content-Signal: ai-train=no\n\n{US}Allow: /", set()),
        (f"{US}Content-Signal: ai-train=no\n\n{ALL}Content-Signal: search=no", {"ai-train"}),
        ("User-agent: GPTBot\nContent-Signal: ai-train=no", set()),
        ("Content-Signal: ai-train=no", set()),
        (f"# {ALL}# Content-Signal: ai-train=no", set()),
    ],
)
def test_what_is_reserved_is_what_our_group_says_no_to(text: str, signals: set[str]) -> None:
    assert set(reserved(text)) == signals


@pytest.mark.parametrize("field", ["Content-Signal: {} ai-train=no", "Content-Usage: {} train-ai=n"])
@pytest.mark.parametrize(
    ("path", "matching", "others"),
    [
        ("/", ["/", "/a"], []),
        ("/p/", ["/p/1.jpg"], ["/p", "/"]),
        ("/*.jpg$", ["/a.jpg", "/b/c.jpg"], ["/a.png", "/a.jpg?x"]),
        ("/caf%C3%A9\t", ["/caf\u00e9/1"], ["/"]),
    ],
)
def test_a_reservation_may_be_for_a_path(field: str, path: str, matching: list[str], others: list[str]) -> None:
    text = ALL + field.format(path)
    found = {path: [*reserved(text, path)] for path in (*matching, *others)}
    assert [path for path, signals in found.items() if signals == ["ai-train"]] == matching
    assert [path for path, signals in found.items() if not signals] == others


def test_the_longest_path_counts_alone_and_of_equal_ones_the_stricter() -> None:
    text = f"{ALL}Content-Usage: / train-ai=n, search=n\nContent-Usage: /ok/ train-ai=y\n"
    assert set(reserved(text, "/a")) == {"ai-train", "search"}
    assert reserved(text, "/ok/a") == {}
    text += "Content-Usage: /*k/ train-ai=n\nContent-Usage: /o*/ search=n\n"
    assert set(reserved(text, "/ok/a")) == {"ai-train", "search"}
    assert set(reserved(text + "Content-Signal: /ok/a ai-input=no", "/ok/a")) == {"ai-train", "search", "ai-input"}


def test_the_words_are_those_that_said_it() -> None:
    assert reserved(f"{ALL}Content-Signal: ai-train=no") == SIGNAL_TRAIN
    assert reserved(f"{ALL}Content-Usage: / train-ai=n") == {"ai-train": "robots.txt: Content-Usage: train-ai=n"}
    long = reserved(f"{ALL}Content-Signal: ai-train=no, \x1b[31m\u202e{'x' * 5000}")["ai-train"]
    assert len(long) <= 200 and long.isprintable()
