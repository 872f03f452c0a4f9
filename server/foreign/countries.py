"""The country that stands beside a number: `phone_country=GB`, `country_code=+44`, `{"number": …, "country": …}`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from server.foreign.words import says_phone, spelt
from server.lib import phone

# How such names end, without blanks; in front of it stands whose number it is, if anything.
DIALS = (
    *("countrycallingcode", "callingcode", "countrydialcode", "countrydialingcode", "dialcode", "dialingcode"),
    *("diallingcode", "isdcode", "isd", "phonecode", "phoneprefix", "countryprefix", "intlcode", "internationalcode"),
    *("internationalprefix", "mobilecode", "mobileprefix", "telcode", "telprefix", "landervorwahl", "landesvorwahl"),
    *("phonecountrycode", "phonecountry", "phonenumbercountry", "phonenumbercountrycode", "numbercountry"),
    *("numbercountrycode", "mobilecountry", "mobilecountrycode", "cellcountry", "cellcountrycode", "telcountry"),
    *("telcountrycode", "telephonecountry", "telephonecountrycode", "phoneiso", "phonecountryiso", "countryofphone"),
    *("phoneregion", "phonenumberregion", "whatsappcountry", "whatsappcountrycode", "indicatif", "codigopais"),
)
# A country code is a number's where it is one of digits, and where it stands in a telephone.
CODES = ("countrycode", "countryiso", "countryiso2", "isocountry", "iso2", "iso", "cc", "code", "prefix")
# Three digits under these are an area or an exchange.
SHORT_CODES = ("code", "prefix", "phonecode", "phoneprefix", "mobilecode", "mobileprefix", "telcode", "telprefix")
POSTAL = ("country", "pais", "land", "pays", "paese")
# What is left of a number's name says whose it is.
NUMBERS = re.compile(
    r"(?:phone|number|mobile|mobil|cellphone|cell|telephone|tel|whatsapp|callerid|caller|num|no|telefon[eo]?|telefoon|nummer"
    r"|handy|celular|movil|numero)+$"
)

CALLING = re.compile(r"(?:\+|00)? ?(\d{1,4})", re.A)
CALLING_INSIDE = re.compile(r"\+ ?(\d{1,4})\b", re.A)
LETTERS = re.compile(r"\b[A-Z]{2}\b")
LONGEST = 64

# Names that stand in the menus of forms and are no region's two letters.
REGIONS = {
    spelt(name): region
    for region, names in {
        "GB": "UK,GBR,United Kingdom,Great Britain,England,Scotland,Wales,Northern Ireland",
        "US": "USA,United States,United States of America,U.S.,U.S.A.,America,Estados Unidos,EE.UU.",
        "CA": "CAN,Canada",
        "MX": "MEX,Mexico",
        "DE": "DEU,GER,Germany,Deutschland,Alemania,Allemagne",
        "AT": "AUT,Austria,Österreich",
        "CH": "CHE,Switzerland,Schweiz,Suisse",
        "FR": "FRA,France,Frankreich",
        "ES": "ESP,Spain,España",
        "IT": "ITA,Italy,Italia",
        "PT": "PRT,Portugal",
        "BR": "BRA,Brazil,Brasil",
        "NL": "NLD,Netherlands,The Netherlands,Nederland",
        "BE": "BEL,Belgium,België,Belgique",
        "IE": "IRL,Ireland",
        "AU": "AUS,Australia",
        "NZ": "NZL,New Zealand",
        "ZA": "ZAF,South Africa",
        "IN": "IND,India",
        "PK": "PAK,Pakistan",
        "PH": "PHL,Philippines",
        "SE": "SWE,Sweden,Sverige",
        "NO": "NOR,Norway,Norge",
        "DK": "DNK,Denmark,Danmark",
        "FI": "FIN,Finland,Suomi",
        "PL": "POL,Poland,Polska",
        "RU": "RUS,Russia,Россия",
        "CN": "CHN,China,中国",
        "JP": "JPN,Japan,日本",
        "KR": "KOR,South Korea",
        "IL": "ISR,Israel",
        "AE": "ARE,UAE,United Arab Emirates",
        "SA": "SAU,Saudi Arabia",
        "TR": "TUR,Turkey,Türkiye",
        "AR": "ARG,Argentina",
        "CL": "CHL,Chile",
        "CO": "COL,Colombia",
        "PE": "PER,Peru,Perú",
        "PR": "PRI,Puerto Rico",
    }.items()
    for name in names.split(",")
}


class Country(NamedTuple):
    """A country beside a number: `dials` if it is the number's own, else where somebody lives."""

    stem: str
    region: str
    dials: bool
    digits: bool


class Beside(NamedTuple):
    """The regions that stand beside one number: its own, and the one where its owner lives."""

    region: str | None
    postal: str | None


NOWHERE = Beside(None, None)


# Each of the names above has one of these in it.
PARTS = (
    *("country", "calling", "dial", "isd", "iso", "region", "prefix", "intl", "international", "vorwahl", "indicatif"),
    *("codigo", "pais", "land", "pays", "paese", "phonecode", "phone_code", "mobilecode", "mobile_code", "telcode"),
    "tel_code",
)


@lru_cache(maxsize=4096)
def may_be_country(name: str) -> bool:
    """Whether a name might be a country's. It is asked of every token, and forms have the same names each time."""
    small = name.lower()
    return any(part in small for part in PARTS)


def countries_in(tree: Mapping[str, Any], parent: str = "") -> dict[str, Beside]:
    """The countries among the members of a thing, which stands under `parent`, by whose number they are said of."""
    inside = says_phone(parent)
    best: dict[tuple[str, bool], Country] = {}
    for name, value in tree.items():
        found = (
            country_of(name, value, inside)
            if inside or "code" in name.lower() or may_be_country(name[:LONGEST])
            else None
        )
        # A calling code says more of a number than a country does.
        if found and (found.digits or (found.stem, found.dials) not in best):
            best[found.stem, found.dials] = found
    regions = {key: country.region for key, country in best.items()}
    return {stem: Beside(regions.get((stem, True)), regions.get((stem, False))) for stem, _ in best}


def country_of(name: str, value: Any, inside: bool) -> Country | None:
    """What one member says of a country; `inside` a telephone all that it says is the number's."""
    if not isinstance(value, str | int | dict) or isinstance(value, bool):
        return None
    compact = spelt(name[:LONGEST]).replace(" ", "")
    for ends, kind in ((DIALS, "dials"), (CODES, "code"), (POSTAL, "postal")):
        end = max((each for each in ends if compact.endswith(each)), key=len, default=None)
        # `iso`, `code` and the like say nothing outside a telephone.
        if end is None or (kind == "code" and not inside and not end.startswith("country")):
            continue
        read = region_of(value)
        if read is None or (end in SHORT_CODES and re.fullmatch(r"\d{3,}", str(value).strip())):
            return None
        region, digits = read
        return Country(stem_of(compact.removesuffix(end)), region, inside or kind == "dials" or digits, digits)
    return None


def beside(countries: Mapping[str, Beside], name: str) -> Beside:
    """Of the countries of a thing those of the number with this name; one that is said of all goes last."""
    own = countries.get(stem_of(spelt(name[:LONGEST]).replace(" ", "")), NOWHERE)
    everybodys = countries.get("", NOWHERE)
    return Beside(own.region or everybodys.region, own.postal or everybodys.postal)


def stem_of(compact: str) -> str:
    """Whose number it is, of a name that ends in words for a number."""
    return NUMBERS.sub("", compact)


def region_of(value: Any) -> tuple[str, bool] | None:
    """The region (ISO 3166) that a value names, and whether it does by its calling code."""
    if isinstance(value, dict):
        members = (value.get(name) for name in ("dialCode", "dial_code", "callingCode", "iso2", "code", "iso", "name"))
        return next((read for each in members if isinstance(each, str | int) and (read := region_of(each))), None)
    text = str(value).strip()[:LONGEST]
    code = CALLING.fullmatch(text) or CALLING_INSIDE.search(text)
    if code is not None:
        region = phone.region_of_code(int(code[1]))
        return (region, True) if region else None
    named = REGIONS.get(spelt(text)) or text.upper()
    if phone.is_region(named):
        return named, False
    letters = LETTERS.match(text)
    return (letters[0], False) if letters and phone.is_region(letters[0]) else None
