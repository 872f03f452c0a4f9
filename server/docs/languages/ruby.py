"""A request in Ruby, with its own net/http."""

import re

from server.docs.languages.literal import Notation, braced, literal, quoted
from server.docs.languages.sample import Sample, address, fields, sent_headers


def ruby_text(text: str) -> str:
    """A text in Ruby, which evaluates what stands in `#{}`, `#$` and `#@`."""
    return re.sub("#(?=[{$@])", r"\\#", quoted(text, braced))


RUBY = Notation(
    text=ruby_text,
    key=lambda name: f"{ruby_text(name)} => ",
    words={None: "nil", True: "true", False: "false"},
    air=" ",
    indent=2,
    end="",
)

ANSWER = """\

response = Net::HTTP.start(uri.hostname, uri.port, use_ssl: uri.scheme == "https") do |http|
  http.request(request)
end
puts response.body
abort "HTTP #{response.code}" unless response.is_a?(Net::HTTPSuccess)
"""


def write_ruby(sample: Sample, base_url: str) -> str:
    """A script; `set_form_data` writes the header of a form."""
    has_json = sample.body is not None and not sample.form
    lines = [
        *(['require "json"'] if has_json else []),
        'require "net/http"',
        "",
        f"uri = URI({ruby_text(address(sample, base_url))})",
        f"request = Net::HTTP::{sample.method.capitalize()}.new(uri)",
        *(f"request[{ruby_text(name)}] = {ruby_text(value)}" for name, value in sent_headers(sample).items()),
    ]
    if has_json:
        lines.append(f"request.body = JSON.generate({literal(sample.body, RUBY, broken=True)})")
    elif sample.body is not None:
        lines.append(f"request.set_form_data({literal(fields(sample.body), RUBY, broken=True)})")
    return "\n".join(lines) + "\n" + ANSWER
