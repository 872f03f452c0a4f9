"""What a consent text has to say before it may be shown to visitors. Pure; no lawyer.

The parts are those of prior express written consent in the United States: 47 CFR 64.1200(f)(9) asks for a seller, for
automated contact by name and for the word that no purchase depends on it; 64.1200(a)(10) lets people revoke it by any
reasonable means, of which they have to be told one; the carriers' rules for text messages ask for both links.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from server.consent.wording import AUTOMATED, NO_CONDITION, SELLER, STOP, WORDINGS, Wording

TERMS, PRIVACY = "terms_link", "privacy_link"
ELEMENTS = (SELLER, AUTOMATED, NO_CONDITION, STOP, TERMS, PRIVACY)
# What an opening denial reaches back over, in characters.
REACH = 80
SENTENCES = re.compile(r"(?<=[.!?;])\s+")
QUOTES = str.maketrans("‘’“”«»‐‑", '\'\'""""--')  # noqa: RUF001 (what people paste)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a text has to have and has not: which parameter mends it, why, and what to add there."""

    element: str
    parameter: str
    message: str
    why: str
    add: str

    @property
    def said(self) -> str:
        """All of it as the text of an error."""
        return f"{self.message}. {self.why} {self.add}"


@dataclass(frozen=True, slots=True)
class Lint:
    """What was found: nothing that is lacking lets a version be published."""

    lacks: tuple[Lack, ...]
    warnings: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether it may be published."""
        return not self.lacks

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is lacking, by the parameter that mends it."""
        return {
            name: [lack.said for lack in self.lacks if lack.parameter == name]
            for name in dict.fromkeys(lack.parameter for lack in self.lacks)
        }


# Of each part of the text: what is said to be missing, and why it is wanted.
PARTS: Mapping[str, tuple[str, str]] = {
    AUTOMATED: (
        "does not say that calls and texts may be automated",
        "Consent covers automated calls, texts and prerecorded voices only where it names them.",
    ),
    NO_CONDITION: (
        "does not say that consent is not a condition of purchase",
        "Consent that somebody has to give in order to buy is none.",
    ),
    STOP: (
        "does not say how to opt out",
        "People may end their consent at any time and have to be told how, such as by replying STOP.",
    ),
}


def lint(content: Mapping[str, str | None]) -> Lint:
    """What the content of a version lacks, and what nobody could check."""
    language, said = content["language"] or "", folded(f"{content['label']} {content['text']}")
    wording = WORDINGS.get(language.partition("-")[0])
    lacks = [*seller_lacks(content["seller_name"], said, wording)]
    if wording is not None:
        lacks += wording_lacks(wording, said, content["seller_name"] or "[seller_name]")
    lacks += link_lacks(content)
    warnings = () if wording is not None else (unread(language),)
    return Lint(tuple(lacks), warnings)


def unread(language: str) -> str:
    """What is said of a language that we cannot read."""
    wanted = "; ".join(message.removeprefix("does not say ") for message, _ in PARTS.values())
    return (
        f"We read English and Spanish, and not {language}: only the seller's name and the links were checked."
        f" Have somebody who reads it make sure that the text says: {wanted}."
    )


def seller_lacks(seller: str | None, said: str, wording: Wording | None) -> Iterator[Lack]:
    """Who contacts the visitor is known, and the text names them."""
    why = "Consent is given to somebody: whoever is not named has none."
    if not seller:
        yield Lack(SELLER, "seller_name", "is missing", why, "Send the name under which you call, such as Acme Solar.")
    elif folded(seller).casefold() not in said.casefold():
        add = quoted(wording.add[SELLER].format(seller=seller)) if wording else f"Name {seller} in it."
        yield Lack(SELLER, "text", f"does not name the seller, {seller}", why, add)


def wording_lacks(wording: Wording, said: str, seller: str) -> Iterator[Lack]:
    """What the text has to say in words of its own."""
    sentences = SENTENCES.split(wording.harmless.sub(" ", said))
    for element, speaks in SPEAKS.items():
        if not any(speaks(wording, sentence) for sentence in sentences):
            message, why = PARTS[element]
            yield Lack(element, "text", message, why, quoted(wording.add[element].format(seller=seller)))


def link_lacks(content: Mapping[str, str | None]) -> Iterator[Lack]:
    """The pages that a visitor can read before ticking the box."""
    for element, parameter, what in (
        (TERMS, "terms_url", "the terms"),
        (PRIVACY, "privacy_url", "the privacy policy"),
    ):
        if not content[parameter]:
            yield Lack(
                element,
                parameter,
                "is missing",
                f"Whoever agrees has to be able to read {what} first.",
                f"Send the address of {what}, such as https://shop.example/{parameter.removesuffix('_url')}.",
            )


def quoted(sentence: str) -> str:
    """A sentence to add, as an error says it."""
    return f"Add, for instance: “{sentence}”"


def folded(text: str) -> str:
    """A text as it is compared: without accents and invisible characters, with plain quotes."""
    letters = unicodedata.normalize("NFKD", text.translate(QUOTES))
    return "".join(letter for letter in letters if unicodedata.category(letter) not in ("Mn", "Cf"))


def affirmed(wording: Wording, pattern: re.Pattern[str], sentence: str) -> bool:
    """Whether a sentence says so, and does not deny it."""
    return any(
        not wording.denied.search(sentence[max(0, found.start() - REACH) : found.start()])
        for found in pattern.finditer(sentence)
    )


def speaks_of_automation(wording: Wording, sentence: str) -> bool:
    """Whether it says that contact may be automated."""
    return bool(wording.contact.search(sentence)) and affirmed(wording, wording.automated, sentence)


def denies_a_condition(wording: Wording, sentence: str) -> bool:
    """Whether it says that no purchase depends on consent."""
    if not wording.purchase.search(sentence):
        return False
    free = wording.consent.search(sentence) and wording.no_obligation.search(sentence)
    return bool(free or wording.no_condition.search(sentence))


def says_how_to_stop(wording: Wording, sentence: str) -> bool:
    """Whether it says how to opt out."""
    return affirmed(wording, wording.stop, sentence)


SPEAKS: Mapping[str, Callable[[Wording, str], bool]] = {
    AUTOMATED: speaks_of_automation,
    NO_CONDITION: denies_a_condition,
    STOP: says_how_to_stop,
}
