"""A request in Python, with `requests`: it is what people paste, and half as long as what the standard library asks."""

from server.docs.languages.literal import Notation, literal, quoted
from server.docs.languages.sample import Sample, address, fields, sent_headers


def python_text(text: str) -> str:
    """A text in Python."""
    return quoted(text, lambda code: f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


PYTHON = Notation(
    text=python_text,
    key=lambda name: f"{python_text(name)}: ",
    words={None: "None", True: "True", False: "False"},
)


def write_python(sample: Sample, base_url: str) -> str:
    """A script; `requests` writes the headers of JSON and of forms."""
    arguments = [python_text(address(sample, base_url))]
    headers = {name: value for name, value in sent_headers(sample).items() if name != "Content-Type"}
    if headers:
        arguments.append(f"headers={literal(headers, PYTHON, 1)}")
    if sample.body is not None:
        name, value = ("data", fields(sample.body)) if sample.form else ("json", sample.body)
        arguments.append(f"{name}={literal(value, PYTHON, 1, broken=True)}")
    arguments.append("timeout=30")
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return (
        "import requests\n\n"
        f"response = requests.{sample.method.lower()}(\n{lines})\n"
        "print(response.text)\n"
        "response.raise_for_status()\n"
    )
