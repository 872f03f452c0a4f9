"""What the name of a key says of its value, in the words of several languages, and what the value's shape says."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
BETWEEN = re.compile(r"[\W_]+")

# The whole name of a key, without blanks and accents, in the order in which its meanings are tried.
WHOLE: dict[str, frozenset[str]] = {
    field: frozenset(names.split())
    for field, names in {
        "caller_id": (
            "callerid phone phonenumber phoneno phonenum mobile mobilephone mobilenumber mobileno cell"
            " cellphone cellnumber cellular tel telephone telephonenumber contactnumber contactphone userphone"
            " homephone msisdn whatsapp telefon telefonnummer rufnummer handy handynummer mobil mobilnummer telefono"
            " numerodetelefono celular movil telefone numerodetelephone portable telefoonnummer telefoon puhelin"
            " телефон номертелефона мобильный 电话 手机 手机号 電話 電話番号 携帯電話 전화 전화번호 휴대폰 هاتف טלפון"
        ),
        "email": (
            "email emailaddress mail mailaddress useremail emailid contactemail correo correoelectronico"
            " courriel adresseemail adressemail emailadresse epost sahkoposti почта электроннаяпочта 邮箱 電子郵件"
            " メールアドレス メール 이메일"
        ),
        "traffic_source_id": "trafficsourceid",
        "sub_id": "subid",
        "first_name": ("firstname fname givenname forename namefirst vorname nombre prenom primeironome voornaam имя"),
        "last_name": "lastname lname surname familyname namelast nachname apellido apellidos cognome фамилия",
        "full_name": (
            "fullname nameandsurname contactname leadname customername callername clientname buyername borrowername"
            " patientname applicantname fullnames nomcomplet nombrecompleto фио"
        ),
        "address": (
            "address streetaddress street address1 addressline1 street1 homeaddress mailingaddress direccion adresse"
            " strasse anschrift indirizzo endereco адрес"
        ),
        "city": "city town ciudad ville stadt ort cidade citta город",
        "state": "state stateprovince province bundesland provincia",
        "zip": "zip zipcode postalcode postcode zippostalcode plz postleitzahl codigopostal codepostal индекс",
    }.items()
}

# `name` alone may be that of a form or a campaign: it is a person's at the top, or in one of these.
PEOPLE = frozenset(
    {
        *("contact", "lead", "person", "customer", "client", "user", "applicant", "caller", "buyer", "borrower"),
        *("patient", "prospect", "data", "fields", "answers"),
    }
)

# What a key says that only has it somewhere in its name; and what speaks against.
HINTS = {
    "caller_id": re.compile(
        r"phone|mobil|telef|cellul|\b(?:tel|cell|cel|fone|handy|callerid)\b|whatsapp|телефон|電話|电话|手机|전화"
    ),
    "email": re.compile(r"e ?mail|\bmail\b|correo|courriel|почт|メール|이메일"),
}
AGAINST = re.compile(
    r"\b(?:fax|type|consent|verified|valid|country|ext|extension|code|optin|opt|id|time|ip|user agent)\b"
)

# How a question asks for what others have as a label.
OPENING = re.compile(
    r"^(?:(?:and|so) )?(?:what (?:is|s) |whats |please )*(?:enter |tell us |give us )*(?:(?:your|the|best) )+"
)

# Keys whose digits are no number that anybody can call.
COUNTED = re.compile(
    r"\b(?:id|ids|vid|ip|at|on|date|time|times|timestamp|zip|plz|code|postcode|price|amount|total|order|account|invoice"
    r"|policy|vin|ssn|version|token|key|hash|gclid|fbclid|score|year|created|updated|url)\b"
)

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
# Digits as people write numbers, with a sign of it: a plus, brackets, or at least ten of them.
PHONE = re.compile(r"\+?[\d ().\-/]{7,24}", re.A)
# What exports put in front of it, such as `p:+1303…`.
MARKS = re.compile(r"(?:(?:p:|['`\u2018\u2019])\s*)+(?=[+(\d])", re.I)
DATE_OR_ADDRESS = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:\D.*)?|\d{1,3}(?:\.\d{1,3}){3}", re.A)


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a value, that of what it stands in, and all names further out, the outermost first. `owner` says
    whose the value is, where the name says the contrary."""

    name: str
    parent: str = ""
    above: tuple[str, ...] = ()
    owner: str = ""


def meaning(key: Key, value: Any) -> tuple[str, bool] | None:
    """The field that a key names, and whether its whole name does; None when it names none, or the value is none."""
    words, inside = OPENING.sub("", spelt(key.name)).replace("caller id", "callerid"), spelt(key.parent)
    field = MEANINGS.get(words.replace(" ", "")) or MEANINGS.get(f"{inside} {words}".replace(" ", ""))
    if field is None and words == "name" and (not inside or inside in PEOPLE):
        field = "full_name"
    if field is not None:
        return (field, True) if fits(field, value) else None
    for field, hint in HINTS.items():
        if hint.search(words) and not AGAINST.search(words) and fits(field, value):
            return field, False
    if says_phone(key.parent) and not AGAINST.search(words) and not COUNTED.search(words) and is_written(value):
        # `{"phone": {"national": …}}`: what stands in a phone and is written as a number is one.
        return "caller_id", False
    return None


def says_phone(name: str) -> bool:
    """Whether a name has a word for a telephone in it."""
    return HINTS["caller_id"].search(spelt(name)) is not None


def is_written(value: Any) -> bool:
    """Whether a value is written as numbers are, without letters."""
    text = MARKS.sub("", str(value).strip(), count=1)
    return PHONE.fullmatch(text) is not None and digits(text) >= 7


def shape(key: Key, value: Any) -> str | None:
    """The field of which a text has the shape, whatever its key is called; whether there is such a number or address
    is asked of the few that are looked at closely."""
    if not isinstance(value, str) or len(value) > 254:
        return None
    text = MARKS.sub("", value.strip(), count=1)
    if "@" in text:
        return "email" if EMAIL.fullmatch(text) else None
    if COUNTED.search(spelt(key.name)) or not PHONE.fullmatch(text) or DATE_OR_ADDRESS.fullmatch(text):
        return None
    return "caller_id" if digits(text) >= 10 or text[0] in "+(" else None


def fits(field: str, value: Any) -> bool:
    """Whether a value can be what its key says."""
    text = str(value)
    if field == "caller_id":
        # Vanity numbers have letters; a sentence that mentions a number is none.
        return len(text) <= 64 and (digits(text) >= 5 or (len(text.strip()) in range(10, 16) and digits(text) >= 3))
    if field == "email":
        return "@" in text and len(text) <= 254
    return len(text) <= 255 and (isinstance(value, str) or not field.endswith("name"))


def digits(text: str) -> int:
    """How many digits a text has."""
    return sum(map(str.isdigit, text))


@lru_cache(maxsize=1024)
def spelt(name: str) -> str:
    """A key's name as words in small letters, without accents."""
    parts = unicodedata.normalize("NFKD", HUMP.sub(" ", name[:200]))
    plain = "".join(char for char in parts if not unicodedata.combining(char))
    return BETWEEN.sub(" ", unicodedata.normalize("NFC", plain).casefold()).strip()


MEANINGS = {spelt(name): field for field, names in WHOLE.items() for name in names}
