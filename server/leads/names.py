"""The names of people: from what pages call their fields to `first_name` and `last_name`. Pure."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from server.foreign.words import spelt

# The last is French: the name of the family beside a first name, else the whole name.
FIRST, LAST, FULL, NOM = "first_name", "last_name", "full_name", "nom"


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


# What a field of a page is called, without blanks and accents. A token's name has lost its accented letters as a
# whole, so that `prénom` is here as `prnom` too.
CALLED: Mapping[str, str] = {
    name: meaning
    for meaning, names in {
        FIRST: (
            "first firstname fname givenname givennames forename namefirst vorname rufname prenom prnom primernombre"
            " nombredepila primeironome voornaam fornavn fornamn frnamn etunimi imie jmeno krestnijmeno keresztnev"
            " prenume ad имя"
        ),
        LAST: (
            "last lastname lname surname familyname namelast nachname familienname zuname apellido apellidos"
            " nomdefamille cognome sobrenome apelido achternaam familienaam etternavn efternavn efternamn sukunimi"
            " nazwisko prijmeni pijmen vezeteknev numedefamilie soyad фамилия"
        ),
        FULL: (
            "name fullname fullnames wholename completename personname nameandsurname firstandlastname"
            " firstlastname nombre nombrecompleto nombreyapellido nombreyapellidos nombresyapellidos nombres"
            " nomcomplet nometprenom nomprenom prenomnom nome nomecompleto nomeecognome nomeesobrenome vollername"
            " vollstandigername vollstndigername vorundnachname vornamenachname vornamename naam volledigenaam navn"
            " fuldenavn fulltnavn namn nimi kokonimi imieinazwisko namalengkap nama adsoyad hoten фио имяифамилия"
        ),
        NOM: "nom",
    }.items()
    for name in names.split()
}

# What stands around a name and does not say that it is another thing's.
ABOUT_THE_VISITOR = words(
    "your my contact contacts lead customer client person applicant visitor patient buyer borrower sender recipient"
    " customers clients leads visitors input text txt field et pb 0 1 su tu ihr dein votre ton seu uw je din ditt din"
    " de del do da du"
)
# What forms put their fields into; as a name of its own each would be that of a form or of data.
AROUND_FIELDS = words("form fields data answers names user values wpforms ninja gform submission")

TITLES = words("mr mrs ms miss mx dr prof herr frau sr sra srta mme mlle sig dott")
# What Jotform puts before the name of a field.
NUMBERED = re.compile(r"q\d+")
SUFFIXES = words("jr sr ii iii iv phd md esq")
LONGEST = 120
DEEPEST = 3


def names_of(tokens: Mapping[str, Any]) -> dict[str, str]:
    """The tokens `first_name` and `last_name` that other tokens say; those that were sent are not among them."""
    said: dict[str, str] = {}
    for called, value in called_names(tokens):
        said.setdefault(called, " ".join(value.split()))
    return {name: text for name, text in parted(said).items() if text and name not in tokens}


def called_names(tree: Mapping[str, Any], around: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """What each value with a person's name is, with the value; what came in brackets stands within."""
    for key, value in tree.items():
        if isinstance(value, str):
            called = meaning((*around, key))
            if called is not None and is_name(value):
                yield called, value
        elif len(around) < DEEPEST:
            # A list is what a form's numbered fields make; of its members those with names of their own count.
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    yield from called_names(inner, (*around, key))


@lru_cache(maxsize=1024)
def meaning(path: tuple[str, ...]) -> str | None:
    """Which of a person's names a field holds by what it is called; None for anything else."""
    *around, key = (spelt(part).split() for part in path)
    outer = [word for part in around for word in part if word not in AROUND_FIELDS and not word.isdigit()]
    words = [word for word in (*outer, *key) if word not in ABOUT_THE_VISITOR and not NUMBERED.fullmatch(word)]
    return CALLED.get("".join(words)) or CALLED.get("".join(key) if not outer else "")


def is_name(value: str) -> bool:
    """Whether a text can be a person's name: it has letters, and neither digits nor what addresses have."""
    text = value.strip()
    return 0 < len(text) <= LONGEST and any(map(str.isalpha, text)) and not any(c.isdigit() or c in "@/" for c in text)


def parted(said: Mapping[str, str]) -> dict[str, str]:
    """First and last name from what was said of each, and of both together."""
    first, last, both = said.get(FIRST, ""), said.get(LAST, ""), said.get(FULL, "")
    if first and not last:
        last = said.get(NOM, "") or rest(both, first)
    elif last and not first:
        first = both.removesuffix(f" {last}")
    elif not first:
        first, last = split(both or said.get(NOM, ""))
    return {FIRST: first, LAST: last}


def rest(both: str, first: str) -> str:
    """The name of the family in what a page calls "name" and asks for beside a first name: `Roe`, `von Groß`."""
    named = "" if both == first else both.removeprefix(f"{first} ")
    before, _, after = named.partition(" ")
    return after if named == both and after and before[0].isupper() else named


def split(both: str) -> tuple[str, str]:
    """A whole name as its first word and the rest; a single word is a first name."""
    before, comma, after = (part.strip() for part in both.partition(","))
    if comma and plain(after) not in SUFFIXES:
        # "Roe, Jane"
        return without_title(after), before
    words = without_title(both.replace(",", " ")).split()
    if not words:
        return "", ""
    # Chinese, Japanese and Korean put the name of the family first.
    first, last = words[0], " ".join(words[1:])
    return (last, first) if last and "\u2e80" <= first[0] <= "\ud7ff" else (first, last)


def without_title(name: str) -> str:
    """A name without the title before it."""
    title, _, named = name.partition(" ")
    return without_title(named.strip()) if named and plain(title) in TITLES else name


def plain(word: str) -> str:
    """A word in small letters without dots."""
    return word.replace(".", "").casefold()
