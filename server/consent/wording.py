"""What the parts of a consent text look like in the languages that we can read. Pure.

Patterns meet a text without accents, with plain quotes. A gap between words holds few of them, none that negates, and
no comma: what stands behind one is another thought.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

AUTOMATED, NO_CONDITION, STOP, SELLER = "automated_contact", "not_a_condition", "opt_out", "seller_name"
BETWEEN = r"[\s()\"/-]+"
WORD = r"\w+(?:'\w+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One language: each pattern is searched in one sentence.

    A sentence about automated contact speaks of contact and of automation. One about the condition speaks of a purchase
    and denies a condition, or denies an obligation of who consents. `denied` stands before what is said not to be;
    `harmless` looks like a denial and is none. `add` is a sentence for each part.
    """

    contact: re.Pattern[str]
    automated: re.Pattern[str]
    purchase: re.Pattern[str]
    no_condition: re.Pattern[str]
    consent: re.Pattern[str]
    no_obligation: re.Pattern[str]
    stop: re.Pattern[str]
    denied: re.Pattern[str]
    harmless: re.Pattern[str]
    add: Mapping[str, str]


def gap(most: int, without: str) -> str:
    """Up to so many words, none of which begins like that."""
    return rf"(?:{BETWEEN}(?!{without}){WORD}){{0,{most}}}{BETWEEN}"


def one_of(*patterns: str) -> re.Pattern[str]:
    """Any of some patterns, in any case."""
    return re.compile("|".join(patterns), re.I)


NO = r"(?:not|never|no|non|nor|without|cannot|neither)\b"
NOT = rf"(?:\b{NO}|n't)"
NOT_BUYING = rf"{NO}|purchas|buy"
# What else happens automatically.
NOT_RENEWED = rf"{NO}|renew|charg|bill|pa(?:y|id)"
ENGLISH = Wording(
    contact=one_of(r"\b(?:call|text|phone|telephone|sms|mms|messag|contact|dial|voice|reach)\w*"),
    automated=one_of(
        r"\bauto-?(?:dial|text)\w*",
        r"\bpre-?recorded\b",
        r"\bartificial\w*" + gap(2, NO) + r"voices?\b",
        r"\bAI[- ](?:generated[ -])?voices?\b",
        r"\brobo-?(?:call|text)\w*",
        r"\bATDS\b",
        r"\bautomat\w+" + gap(3, NO) + r"(?:dial|call|phone|telephon|text|messag|system|technolog|means|voice|sms)\w*",
        r"\b(?:call|text|messag|dial|contact)\w*" + gap(6, NOT_RENEWED) + r"automat(?:ed|ic|ically)\b",
    ),
    purchase=one_of(r"\b(?:purchas\w*|buy\w*|goods|services?|products?|propert(?:y|ies))\b"),
    no_condition=one_of(
        NOT + gap(5, NOT_BUYING) + r"(?:pre-?)?(?:condition\w*|requirement|requisite|contingent)\b",
        r"\b(?:purchas|buy)\w*" + gap(4, "with") + r"without" + gap(2, NO) + r"(?:consent|agree|opting in|permission)",
    ),
    consent=one_of(r"\b(?:consent|agree|permission|authoriz|sign|opt)\w*"),
    no_obligation=one_of(
        NOT + gap(3, NOT_BUYING) + r"(?:required?|obligat\w+|obliged|necessary|needed|need|have|mandatory|depend\w*)\b",
        r"\bneed not\b",
    ),
    stop=one_of(
        r"\b(?:repl|text|send|respond|answer|typ|writ|say)\w*" + gap(3, NO) + r"'?(?:stop\b|(?-i:END|QUIT|CANCEL)\b)",
        r"\bopt(?:ing)?[ -]?out\b",
        r"\bunsubscrib\w+",
        r"\b(?:revok|withdraw)\w*" + gap(3, NO) + r"(?:consent|permission|authorization|agreement)\b",
        r"\bstop (?:receiving|getting)\b",
        r"\bto stop" + gap(2, NO) + r"(?:call|text|messag|contact)\w*",
    ),
    denied=re.compile(rf"{NOT}(?:{BETWEEN}{WORD}){{0,3}}{BETWEEN}$", re.I),
    harmless=one_of(
        r"\b(?:but )?not limited to\b",
        r"\bnot (?:only|just)\b",
        r"\bwhether or not\b",
        r"\b(?:do|does)[ -]not[ -]call\b",
        r"\b(?:do not|don't|no longer) (?:want|wish|like)\b",
    ),
    add={
        AUTOMATED: "I agree that {seller} may call and text me at the number that I gave, also by automated means, with"
        " an autodialer and with artificial or prerecorded voices.",
        NO_CONDITION: "My consent is not a condition of any purchase.",
        STOP: "I can opt out at any time by replying STOP.",
        SELLER: "I agree to be contacted by {seller}.",
    },
)

NO_ES = r"(?:no|nunca|jamas|sin|tampoco|ni|ningun\w*)\b"
NOT_ES = rf"\b{NO_ES}"
NOT_BUYING_ES = rf"{NO_ES}|compr|adqui"
NOT_RENEWED_ES = rf"{NO_ES}|renov|renuev|cobr|cargo|pag"
SPANISH = Wording(
    contact=one_of(r"\b(?:llam|mensaj|texto|sms|mms|contact|telefon|comuni|voz|voces)\w*"),
    automated=one_of(
        r"\bauto-?marca\w*",
        r"\bauto-?dial\w*",
        r"\bpre-?grabad\w*",
        r"\b(?:voz|voces) artificial(?:es)?\b",
        r"\brobo-?llamad\w*",
        r"\b(?:llamad|mensaj|sistem|medio|tecnolog|marca|texto|equipo|forma|manera|sms|voz)\w*"
        + gap(6, NOT_RENEWED_ES)
        + r"automati[cz]\w*",
        r"\bautomati[cz]\w*" + gap(3, NO_ES) + r"(?:llam|mensaj|marca|texto|sms|voz)\w*",
    ),
    purchase=one_of(r"\b(?:compr\w+|adqui\w+|contratar|bien|bienes|servicios?|productos?)\b"),
    no_condition=one_of(
        NOT_ES + gap(5, NOT_BUYING_ES) + r"(?:condicion\w*|requisito)\b",
        r"\b(?:compr|adqui)\w*" + gap(4, "sin") + r"sin" + gap(3, NO_ES) + r"(?:consent|acept|autoriz|permis)",
    ),
    consent=one_of(r"\b(?:consent|consient|acept|autoriz|acuerd|permis)\w*"),
    no_obligation=one_of(
        NOT_ES + gap(3, NOT_BUYING_ES) + r"(?:requer|requier|obliga|necesari|exig|depend|hace falta|necesit)\w*"
    ),
    stop=one_of(
        r"\b(?:respond|respuest|contest|envi|escrib|mand|texte)\w*"
        + gap(3, NO_ES)
        + r"'?(?:stop|alto|baja|pare|parar|cancelar|detener)\b",
        r"\b(?:dar|darse|darme|darte|dese|date|solicit\w+|pedir)\b" + gap(2, NO_ES) + r"baja\b",
        r"\b(?:cancel|anul)\w*" + gap(2, NO_ES) + r"suscripcion\b",
        r"\bdej(?:ar|e) de recibir\b",
        r"\b(?:revo[cq]|retir|anul|cancel)\w*" + gap(3, NO_ES) + r"(?:consentimiento|autorizacion|permiso)\b",
        r"\boptar por no\b",
    ),
    denied=re.compile(rf"{NOT_ES}(?:{BETWEEN}{WORD}){{0,3}}{BETWEEN}$", re.I),
    harmless=one_of(
        r"\b(?:pero )?(?:no limitad\w+|sin limit\w+|no se limit\w+)(?: a)?\b",
        r"\bno (?:solo|solamente|unicamente)\b",
        r"\b(?:sea|este|esten?) o no\b",
        r"\bno[ -]llam(?:e|en|ar)\b",
        r"\bya no\b",
        r"\bno (?:dese\w+|quier\w+)\b",
    ),
    add={
        AUTOMATED: "Acepto que {seller} me llame y me envíe mensajes de texto al número que he dado, también por medios"
        " automáticos y con voces artificiales o pregrabadas.",
        NO_CONDITION: "Mi consentimiento no es condición de ninguna compra.",
        STOP: "Puedo darme de baja en cualquier momento respondiendo ALTO.",
        SELLER: "Acepto que {seller} se comunique conmigo.",
    },
)
# By the language's first part.
WORDINGS: Mapping[str, Wording] = {"en": ENGLISH, "es": SPANISH}
