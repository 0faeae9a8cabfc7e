"""HTTP as a filter sees it: headers, query, cookies, the request, the response, the peer."""

from meshext.http.cookies import Cookies
from meshext.http.exchange import Exchange
from meshext.http.headers import Headers
from meshext.http.metadata import Metadata
from meshext.http.peer import Peer
from meshext.http.query import Query
from meshext.http.request import Request
from meshext.http.response import Response

__all__ = ["Cookies", "Exchange", "Headers", "Metadata", "Peer", "Query", "Request", "Response"]
