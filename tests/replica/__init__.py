"""A small internet on loopback: real host names, pages and pictures, with every failure a crawl can meet.

It is a forward proxy that ends TLS with its own certificate authority. A client that is given
:meth:`Replica.environment` sees it instead of the internet and needs no other change.
``python -m tests.replica`` starts it by hand.
"""

from tests.replica.exchange import LoggedRequest
from tests.replica.replica import Replica

__all__ = ["LoggedRequest", "Replica"]
