"""Consent texts: which may be published, what each lacks, its address, the language that a visitor gets, its HTML."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from server.consent.lint import lint
from server.consent.render import Shown, links_of, rendered
from server.consent.rules import CONTENT, content_hash, falls_back, read_language, tidy
from server.consent.schemas import is_page
from server.consent.wording import WORDINGS
from tests.unit import table

ROWS = table("consent_texts.csv")
LINKS = {"terms_url": "https://shop.example/terms", "privacy_url": "https://shop.example/privacy"}


def content(text: str, language: str = "en", **more: Any) -> dict[str, Any]:
    """A version's content, with all that is beside its text."""
    return {"language": language, "text": text, "label": "OK", "seller_name": "Acme Solar"} | LINKS | more


def lacking(values: dict[str, Any]) -> list[str]:
    """What a content lacks, by the names of the parts."""
    return [lack.element for lack in lint(values).lacks]


# Lint


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_a_text_lacks_what_it_does_not_say(row: dict[str, str]) -> None:
    assert lacking(content(row["text"], row["language"])) == row["lacks"].split()


@pytest.mark.parametrize("language", WORDINGS)
def test_the_sentences_to_add_are_all_that_is_lacking(language: str) -> None:
    empty = content("Hi.", language)
    added = [lack.add.partition("“")[2].removesuffix("”") for lack in lint(empty).lacks]
    assert len(added) == 4
    assert lacking(empty | {"text": " ".join(["Hi.", *added])}) == []
    # None of them says what another is wanted for.
    for place in range(1, 4):
        assert len(lacking(empty | {"text": " ".join(added[:place] + added[place + 1 :])})) == 1


def test_what_stands_at_the_box_counts_as_well() -> None:
    text, _, last = next(row["text"] for row in ROWS if not row["lacks"]).rpartition(". ")
    assert lacking(content(f"{text}.")) == ["opt_out"]
    assert lacking(content(f"{text}.", label=last)) == []


@pytest.mark.parametrize(
    ("without", "element"),
    [("seller_name", "seller_name"), ("terms_url", "terms_link"), ("privacy_url", "privacy_link")],
)
@pytest.mark.parametrize("language", ["en", "es", "de"])
def test_a_seller_and_both_links_are_wanted_in_every_language(language: str, without: str, element: str) -> None:
    good = {row["language"]: row["text"] for row in ROWS if not row["lacks"]}
    found = lint(content(good[language], language, **{without: None}))
    assert [(lack.element, lack.parameter) for lack in found.lacks] == [(element, without)]
    assert list(found.errors) == [without]
    assert found.errors[without][0].startswith("is missing. ")


def test_each_lack_says_what_is_missing_why_and_what_to_add() -> None:
    found = lint(content("Hi."))
    assert [*found.errors] == ["text"]
    for lack, said in zip(found.lacks, found.errors["text"], strict=True):
        assert said == f"{lack.message}. {lack.why} {lack.add}"
        assert lack.message.startswith("does not ")
        assert lack.why.endswith(".")
        assert lack.add.startswith("Add, for instance: “")


def test_of_a_language_that_we_cannot_read_we_say_so() -> None:
    found = lint(content("Acme Solar darf mich anrufen.", "de-AT"))
    assert found.passes
    [warning] = found.warnings
    assert "not de-AT" in warning
    assert "not a condition of purchase" in warning
    assert lint(content("Hi.")).warnings == ()


# Each of these makes a pattern with nested repetitions take for ever.
ENDLESS = ["'", "(", "call ", "not ", "text - ", "call not ", "automatic ", "reply to ", "a'a", "no " * 5 + "call "]


@pytest.mark.parametrize("part", ENDLESS)
@pytest.mark.parametrize("language", WORDINGS)
def test_no_text_takes_long_to_read(language: str, part: str) -> None:
    text = f"Not call reply{part * 8192}"[:8192]
    began = time.process_time()
    lint(content(text, language))
    assert time.process_time() - began < 1


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300), st.text(max_size=50), st.sampled_from(["en", "es", "fr"]))
def test_any_text_is_read(text: str, label: str, language: str) -> None:
    assert lint(content(text, language, label=label, seller_name=label or None)).passes in (True, False)


# Content


def test_the_address_of_a_content_is_that_of_its_canonical_json() -> None:
    known = content("Ünïcode “text”", "es-MX") | {"terms_url": None}
    # sha256 of the JSON with sorted keys, without blanks, in UTF-8, as any other program makes it.
    written = (
        '{"label":"OK","language":"es-MX","privacy_url":"https://shop.example/privacy","seller_name":"Acme Solar",'
        '"terms_url":null,"text":"Ünïcode “text”"}'
    )
    assert content_hash(known) == "2d8d59dd770dc509d51c4ff5b54ba0e85bca5605db6c849ffee9da5338f9ab75", written
    for name in CONTENT:
        assert content_hash(known | {name: "other"}) != content_hash(known)


def test_white_space_and_the_spelling_of_a_letter_make_no_other_text() -> None:
    assert tidy(" I\u00a0agree \r\n\t to  cafe\u0301.\u2028") == "I agree to caf\u00e9."


# Languages


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("en", "en"),
        ("ES-mx", "es-MX"),
        ("es_MX", "es-MX"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sr-latn", "sr-Latn"),
        (" fil ", "fil"),
        ("", None),
        ("e", None),
        ("english", None),
        ("es-", None),
        ("es-MX-x-y", None),
        ("es MX", None),
        ("ｅｎ", None),  # noqa: RUF001
        ("12", None),
    ],
)
def test_a_language_is_kept_in_its_usual_spelling(written: str, language: str | None) -> None:
    assert read_language(written) == language


@pytest.mark.parametrize(
    ("asked", "default", "languages"),
    [
        ("es-MX", "en", "es-MX es en"),
        ("zh-Hant-TW", "en-US", "zh-Hant-TW zh-Hant zh en-US en"),
        (None, "en", "en"),
    ],
)
def test_a_language_falls_back_to_less_of_it_and_then_to_the_default(
    asked: str | None, default: str, languages: str
) -> None:
    assert [*falls_back(asked, default)] == languages.split()


# What a page shows


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://shop.example/terms", True),
        ("http://localhost:3000/terms?x=1#y", True),
        ("https://shop.example/términos", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//shop.example/terms", False),
        ("/terms", False),
        ("shop.example/terms", False),
        ("https://", False),
        ("https://shop.example@evil.example/", False),
        ("https:\\\\evil.example", False),
        ("https://shop.example/a b", False),
        ("https://shop.example:port/", False),
        ("https://[::1", False),
        ("https://shop.example/\u202egnp", False),
    ],
)
def test_a_link_leads_to_a_page_that_people_can_read_in_it(url: str, taken: bool) -> None:
    assert is_page(url) is taken


def test_a_page_shows_a_box_that_is_not_ticked_the_text_and_safe_links() -> None:
    shown = Shown("es-MX", "Acepto.", "Sí", **LINKS)
    assert str(rendered(shown)) == (
        '<div class="disclosure" lang="es-MX" dir="auto"><label><input type="checkbox" data-lead-consent> Sí</label>'
        ' <p>Acepto.</p><p><a href="https://shop.example/terms" target="_blank" rel="noopener">Términos</a>'
        ' <a href="https://shop.example/privacy" target="_blank" rel="noopener">Política de privacidad</a></p></div>'
    )
    assert links_of(shown)[0] == ("terms", "Términos", "https://shop.example/terms")


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", "\"' onmouseover=alert(1) x='", "{0} {} %s &amp;"])
def test_what_a_company_wrote_stays_text(bad: str) -> None:
    html = str(rendered(Shown("en", bad, bad, f"https://shop.example/{bad}", None)))
    assert html.count(str(escape(bad))) == 3
    assert bad not in html.replace(str(escape(bad)), "")


def test_a_version_without_links_shows_none() -> None:
    shown = Shown("de", "Ja.", "Ja", None, None)
    assert links_of(shown) == []
    assert "<a" not in rendered(shown)
