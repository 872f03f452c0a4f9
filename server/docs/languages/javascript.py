"""A request in JavaScript: with jQuery and fetch in a page, and with Node's own fetch."""

import re

from server.docs.languages.literal import Notation, braced, literal, quoted
from server.docs.languages.sample import Sample, address, fields, sent_headers, texts

# Names that need no quotes.
BARE = re.compile(r"[A-Za-z_$][\w$]*", re.A)


def js_text(text: str) -> str:
    """A text in JavaScript; in a page, `</script>` and `<!--` count even within quotes."""
    return re.sub("<(?=[/!])", r"<\\", quoted(text, braced))


def js_key(name: str) -> str:
    """A name in an object; `__proto__` would set the prototype unless it stands in brackets."""
    if name == "__proto__":
        return '["__proto__"]: '
    return f"{name if BARE.fullmatch(name) else js_text(name)}: "


JS = Notation(
    text=js_text,
    key=js_key,
    words={None: "null", True: "true", False: "false"},
    air=" ",
    indent=2,
    end="",
)

JQUERY_ANSWER = """\
.done((answer) => {
  console.log(answer);
}).fail((request) => {
  console.error(request.status, request.responseText);
});
"""
FETCH_ANSWER = """\
.then(async (response) => {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  console.log(await response.json());
}).catch(console.error);
"""
NODE_ANSWER = """\
.then(async (response) => {
  console.log(await response.text());
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
"""


def write_jquery(sample: Sample, base_url: str) -> str:
    """`$.ajax`, which nests a form by itself."""
    options = {"url": js_text(address(sample, base_url)), "method": js_text(sample.method)}
    headers = {name: value for name, value in sent_headers(sample).items() if name != "Content-Type"}
    if headers:
        options["headers"] = literal(headers, JS, 1)
    if sample.body is not None and sample.form:
        options["data"] = literal(texts(sample.body), JS, 1, broken=True)
    elif sample.body is not None:
        options["contentType"] = js_text("application/json")
        options["data"] = stringified(sample)
    return f"$.ajax({entries(options)}){JQUERY_ANSWER}"


def write_fetch(sample: Sample, base_url: str) -> str:
    """A chain of promises, which runs wherever it is pasted: in a handler, a console or a module."""
    return fetched(sample, base_url) + FETCH_ANSWER


def write_node(sample: Sample, base_url: str) -> str:
    """The same chain, in a module of either kind."""
    return fetched(sample, base_url) + NODE_ANSWER


def fetched(sample: Sample, base_url: str) -> str:
    """The call of fetch, which writes the header of a form."""
    options = {} if sample.method == "GET" else {"method": js_text(sample.method)}
    if headers := sent_headers(sample):
        options["headers"] = literal(headers, JS, 1)
    if sample.body is not None and sample.form:
        options["body"] = f"new URLSearchParams({literal(fields(sample.body), JS, 1, broken=True)})"
    elif sample.body is not None:
        options["body"] = stringified(sample)
    return f"fetch({js_text(address(sample, base_url))}{f', {entries(options)}' if options else ''})"


def stringified(sample: Sample) -> str:
    """The body as an expression that makes JSON of it."""
    return f"JSON.stringify({literal(sample.body, JS, 1, broken=True)})"


def entries(options: dict[str, str]) -> str:
    """An object of expressions, one a line."""
    return "{\n" + ",\n".join(f"  {name}: {code}" for name, code in options.items()) + "\n}"
