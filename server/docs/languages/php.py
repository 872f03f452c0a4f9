"""A request in PHP, with its own streams: they need no extension."""

from collections.abc import Mapping
from typing import Any

from server.docs.languages.literal import Notation, braced, literal, quoted
from server.docs.languages.sample import Sample, address, sent_headers, texts


def php_text(text: str) -> str:
    """A text in PHP, where `$` in double quotes begins a variable."""
    return quoted(text, braced).replace("$", "\\$")


def cast(value: Mapping[str, Any]) -> str:
    """What keeps an array from becoming a list in JSON: one that is empty, or whose names count from 0 on."""
    return "(object) " if [*value] == [str(number) for number in range(len(value))] else ""


PHP = Notation(
    text=php_text,
    key=lambda name: f"{php_text(name)} => ",
    words={None: "null", True: "true", False: "false"},
    braces=("[", "]"),
    before=cast,
)

TEMPLATE = """\
<?php

$context = stream_context_create(["http" => [
{options}
]]);
$stream = fopen({url}, "r", false, $context) or exit(1);
echo stream_get_contents($stream), PHP_EOL;

$status = stream_get_meta_data($stream)["wrapper_data"][0];
if (!preg_match('/ 2\\d\\d /', $status)) {
    exit(1);
}
"""


def write_php(sample: Sample, base_url: str) -> str:
    """A script; `ignore_errors` lets it read what a refusal says."""
    options = {"method": php_text(sample.method)}
    if headers := sent_headers(sample, form=True):
        options["header"] = literal([f"{name}: {value}" for name, value in headers.items()], PHP, 1)
    if sample.body is not None and sample.form:
        options["content"] = f"http_build_query({literal(texts(sample.body), PHP, 1, broken=True)})"
    elif sample.body is not None:
        options["content"] = f"json_encode({literal(sample.body, PHP, 1, broken=True)})"
    options["ignore_errors"] = "true"
    lines = "\n".join(f"    {php_text(name)} => {code}," for name, code in options.items())
    return TEMPLATE.replace("{options}", lines).replace("{url}", php_text(address(sample, base_url)), 1)
