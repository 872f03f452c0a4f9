"""The addresses of the docs. What answers at them is imported with its first reader: who only takes leads pays for none
of it.

- `/api/docs`: everything there is
- `/api/docs/1.0/{page}.html`: a page that somebody wrote, or a resource
- `/api/docs/1.0/{resource}/{method}.html`: a method
- `/api/docs/apipie_checksum`: whether anything has changed
- `/api/docs/ui/`: the API to try out in Swagger UI
- `/apispec_1.json`: the OpenAPI document
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from flask import Blueprint, Flask
from swagger_ui_bundle import swagger_ui_path

from server.config import PROJECT
from server.lib.compress import compress

ROOT = "/api/docs"
UI = f"{ROOT}/ui"
# A new version of the package has new addresses.
SWAGGER_VERSION = swagger_ui_path.name.rpartition("-")[2]
TEMPLATES = str(PROJECT / "docs_site" / "templates")


@cache
def later(name: str) -> Callable[..., Any]:
    """A function of this package, named `module.function`; its module is imported when it is first called. Each
    name has one: Flask takes several addresses of an endpoint for a mistake if what answers there is not the same."""
    module, _, function = name.rpartition(".")

    def call(*args: Any, **named: Any) -> Any:
        return getattr(import_module(f"{__package__}.{module}"), function)(*args, **named)

    return call


# Each address, the name of its endpoint, and what answers there.
PAGES = [
    (f"{ROOT}/static/<path:name>", "static_file", "views.static_file"),
    (f"{ROOT}/static/search.js", "search_index", "views.search_index"),
    (f"{ROOT}/apipie_checksum", "docs_checksum", "views.docs_checksum"),
    (ROOT, "show", "views.show"),
    (f"{ROOT}/", "show", "views.show"),
    (f"{ROOT}/<path:path>", "show", "views.show"),
    (f"{ROOT}.json", "all", "views.show"),
]
SWAGGER = [
    ("/apispec_1.json", "apispec_1", "swagger.show_document"),
    (f"{UI}/", "apidocs", "swagger.show_page"),
    (f"{UI}/swagger.js", "start", "swagger.show_script"),
    (f"{UI}/static/{SWAGGER_VERSION}/<path:filename>", "static", "swagger.show_asset"),
]
FILTERS = {"inline": "site.inline", "pretty_json": "site.pretty_json", "plain_json": "site.plain_json"}


def register(app: Flask) -> None:
    """Serves the docs."""
    # flasgger asks for the endpoints of a blueprint of its name, and for the templates of its page.
    for name, routes in (("docs", PAGES), ("flasgger", SWAGGER)):
        blueprint = Blueprint(name, __name__, template_folder=TEMPLATES)
        blueprint.after_request(compress)
        for address, endpoint, function in routes:
            blueprint.add_url_rule(address, endpoint, later(function), methods=["GET"])
        app.register_blueprint(blueprint)
    app.jinja_env.filters.update({name: later(function) for name, function in FILTERS.items()})
