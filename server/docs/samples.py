"""The examples of a method in every language, for the reader's own host and token. Pure."""

from dataclasses import dataclass

from markupsafe import Markup

from server.docs.highlight import highlight
from server.docs.languages import Sample, written
from server.docs.lead_operations import YOUR_TOKEN
from server.docs.reference import Example, Method

YOUR_KEY = "YOUR_PRIVATE_KEY"


@dataclass(frozen=True, slots=True)
class Written:
    """An example in one language; `code` is the text in colour."""

    key: str
    name: str
    code: Markup
    note: str


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An example with its title, in each language."""

    title: str
    languages: tuple[Written, ...]


def shown_examples(method: Method, base_url: str, lead_token: str) -> list[ShownExample]:
    """What the page of a method shows to copy."""
    return [
        ShownExample(
            example.title,
            tuple(
                Written(language.key, language.name, highlight(text, language.lexer), language.note)
                for language, text in written(sample_of(method, example, lead_token), base_url)
            ),
        )
        for example in method.examples
    ]


def sample_of(method: Method, example: Example, lead_token: str) -> Sample:
    """The request of an example: with the token, where one opens the method, else with a key."""
    by_token = "lead_token" in example.query
    query = {name: lead_token if value == YOUR_TOKEN else value for name, value in example.query.items()}
    return Sample(
        method=method.apis[0][0],
        path=method.example_path,
        query=query,
        body=example.body or None,
        form=example.form,
        bearer="" if by_token else YOUR_KEY,
    )
