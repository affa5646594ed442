"""Cookies ask nobody."""

from __future__ import annotations

from scrapy.downloadermiddlewares import cookies
from tldextract import TLDExtract

# Which domains are public, such as co.uk, Scrapy asks of tldextract. That would get a new list from publicsuffix.org at
# the first cookie, past the rules of this crawl, and keep it in the home directory; it comes with a list as well.
cookies._split_domain = TLDExtract(  # noqa: SLF001
    include_psl_private_domains=True, suffix_list_urls=(), cache_dir=None
)


class CookiesMiddleware(cookies.CookiesMiddleware):
    """Scrapy's own, with the list of public domains that is installed."""
