"""One request as copy-ready code in the languages that people paste; each text runs as it stands.

To add a language, write a function `(sample, base_url) -> text` in a module of its own and give it a line in
`LANGUAGES`. Values reach the text through `literal`, with a `Notation` of the language, so that no value can end its
quotes. Then name its interpreter in tests/docs/test_languages.py, which sends every sample of tests/data/samples.json.
"""

from collections.abc import Callable
from dataclasses import dataclass

from server.docs.languages.javascript import write_fetch, write_jquery, write_node
from server.docs.languages.php import write_php
from server.docs.languages.python import write_python
from server.docs.languages.ruby import write_ruby
from server.docs.languages.sample import Sample
from server.docs.languages.shell import write_curl
from server.docs.languages.webhook import LEADS, is_for_webhooks, write_webhook

__all__ = ["LANGUAGES", "Language", "Sample", "written"]


def is_for_pages(sample: Sample) -> bool:
    """Whether a page may send it: a private key never belongs in one, and it has not the powers of a server token."""
    return not sample.has_private_key and sample.path in LEADS | {"/api/v1/tokens/fields"}


def always(sample: Sample) -> bool:
    """Whether a server may send it."""
    return True


@dataclass(frozen=True, slots=True)
class Language:
    """One way to send a request: `key` is for anchors and storage, `lexer` is the name that Pygments has for it, and
    `note` what has to be known before the code is used."""

    key: str
    name: str
    lexer: str
    write: Callable[[Sample, str], str]
    suits: Callable[[Sample], bool] = always
    note: str = ""


IN_A_PAGE = (
    "In a web page use a publishable token (`pub_…`). Everybody can read what stands there, so a server token that a"
    " browser sends is marked as exposed, and loses its powers."
)

LANGUAGES = (
    Language("curl", "curl", "bash", write_curl),
    Language("jquery", "jQuery", "javascript", write_jquery, is_for_pages, IN_A_PAGE),
    Language("fetch", "fetch", "javascript", write_fetch, is_for_pages, IN_A_PAGE),
    Language("php", "PHP", "php", write_php),
    Language("python", "Python", "python", write_python),
    Language("node", "Node", "javascript", write_node),
    Language("ruby", "Ruby", "ruby", write_ruby),
    Language(
        "webhook",
        "Webhook URL",
        "text",
        write_webhook,
        is_for_webhooks,
        "Have it sent with `POST`, and put the other system's placeholders where the values are.",
    ),
)


def written(sample: Sample, base_url: str) -> list[tuple[Language, str]]:
    """The request in every language that makes sense for it."""
    return [(language, language.write(sample, base_url)) for language in LANGUAGES if language.suits(sample)]
