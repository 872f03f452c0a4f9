"""Code in colour: Pygments with our own few classes, whose colours stand in `docs_site/static/docs.css`."""

from functools import lru_cache

from markupsafe import Markup
from pygments import highlight as colour
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

FORMATTER = HtmlFormatter(nowrap=True)


@lru_cache(maxsize=4096)
def highlight(code: str, language: str) -> Markup:
    """A text of that language as HTML, without a `pre` around it."""
    coloured = colour(code, get_lexer_by_name(language, stripnl=False), FORMATTER)
    return Markup(coloured)  # noqa: S704 (Pygments escapes the code)
