"""What the script says to visitors, by language, unless a company says it otherwise. Pure."""

from collections.abc import Mapping

from server.consent.rules import falls_back

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "consent": "Tick the box to send this form",
        "sending": "Sending...",
        "sent": "Thank you. We have received it.",
        "refused": "Please correct what is marked.",
        "failed": "Not sent. Please try again.",
        "phone": "Please enter a valid phone number",
    },
    "es": {
        "consent": "Marque la casilla para enviar este formulario",
        "sending": "Enviando...",
        "sent": "Gracias. Lo hemos recibido.",
        "refused": "Corrija lo que está marcado.",
        "failed": "No enviado. Pruebe de nuevo.",
        "phone": "Introduzca un teléfono válido",
    },
}
DEFAULT = "en"
# On which occasions something is said.
OCCASIONS = tuple(WORDS[DEFAULT])


def words_of(language: str, own: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What is said in a language: the company's words, then ours, in it or in less of it (`es` for `es-MX`)."""
    said: dict[str, str] = {}
    for each in falls_back(language, DEFAULT):
        said = {**WORDS.get(each, {}), **own.get(each, {}), **said}
    return said
