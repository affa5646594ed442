"""Signals that spiders send and extensions hear, beside Scrapy's own. All are sent with ``crawler.signals``.

``keyword_opened(keyword: str, asked: int | None)``
    a search, or a subject, begins; ``asked`` is how many are wanted, ``None`` for all there are.
``keyword_closed(keyword: str, exhausted: bool)``
    nothing more will come of it, and every item of it has its outcome; ``exhausted``: there are no further results.
``page_failed(error: PageError, keyword: str, body: bytes | None)``
    a page of it gave no results; ``body`` is that page where there is one.
``keywords_skipped(keywords: list[str])``
    the crawl stops before these were asked for at all.
``crawl_stopping()``
    the crawl is being ended, by a signal (Ctrl-C, SIGTERM) or because nothing more can be kept: what is under way
    should end now. Of a signal Scrapy itself tells nobody but ``start()``.
"""

keyword_opened = object()
keyword_closed = object()
page_failed = object()
keywords_skipped = object()
crawl_stopping = object()
