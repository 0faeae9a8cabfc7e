"""html: escape, for text that goes into a page."""

from __future__ import annotations


def escape(s: str, quote: bool = True) -> str:
    """The text with what HTML would read as markup replaced."""
    made = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return made.replace('"', "&quot;").replace("'", "&#x27;") if quote else made
