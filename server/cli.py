"""Commands: `./dev flask …` and `./dev demo`."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select

from server import app as app_factory
from server import migrations
from server.companies.models import Company
from server.companies.operations import create_company, create_key
from server.demo import make_demo
from server.errors import CommandError
from server.lib.db import begin_write, commit, db

company_group = AppGroup("company", help="Companies: the tenants.")
key_group = AppGroup("key", help="API keys.")
docs_group = AppGroup("docs", help="The pages of the documentation.")


def writes(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that writes: on a database that is up to date, with one commit, its errors as one sentence."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        migrations.migrate(current_app)
        begin_write()
        try:
            command(*args, **kwargs)
        except CommandError as error:
            raise click.ClickException(str(error)) from error
        commit()

    return run


@company_group.command("create")
@click.argument("name")
@click.option("--region", default="US", show_default=True, help="Where a number without country code is from.")
@click.option("--time-zone", default="UTC", show_default=True, help="What a time without offset means.")
@click.option("--require-authorization", is_flag=True, help="Take leads only with an API key.")
@writes
def company_create(name: str, region: str, time_zone: str, require_authorization: bool) -> None:
    """Makes a company and prints its id."""
    company = create_company(name, region, time_zone, require_authorization)
    click.echo(json.dumps({"company_id": company.id, "name": company.name}))


@key_group.command("create")
@click.argument("name")
@click.option("--company", "company_id", type=int, help="The company's id; needed when there are several.")
@click.option("--scope", "scopes", multiple=True, help="A scope of the key; may be repeated. Default: all.")
@writes
def key_create(name: str, company_id: int | None, scopes: tuple[str, ...]) -> None:
    """Makes an API key and prints it; its private part is shown this once."""
    key, private = create_key(one_company(company_id), name, list(scopes) or None)
    click.echo(json.dumps({"public": key.public, "private": private, "scopes": key.scopes}))


def one_company(company_id: int | None) -> Company:
    """The company that is meant; raises CommandError."""
    query = select(Company) if company_id is None else select(Company).where(Company.id == company_id)
    companies = db.session.scalars(query.limit(2)).all()
    if len(companies) != 1:
        raise CommandError("Say which company with --company ID." if companies else "There is no such company.")
    return companies[0]


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print JSON only.")
@click.option("--force", is_flag=True, help="Make it although there is another company.")
@writes
def demo(as_json: bool, force: bool) -> None:
    """Makes the company "Demo", with everything that a first lead needs, and shows how to send one."""
    made = make_demo(current_app.config["URL"], force)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(json.dumps(made, indent=2))
    token = made["schedule"]["lead_token"]
    click.echo(f"\nThe first lead, once ./dev serve runs:\n\n  {first_curl(made['url'], token)}\n")


@docs_group.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def docs_export(folder: Path) -> None:
    """Writes every page below FOLDER, which has to be new or empty."""
    from server.docs.export import export  # noqa: PLC0415 - 80 ms that the other commands have no use for

    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty. Name a folder that is, or one that is not there yet.")
    click.echo(f"Wrote {export(folder)} pages. Begin with {folder / 'index.html'}")


def first_curl(url: str, token: str) -> str:
    """The seed's first example, ready to paste."""
    return f'curl -X POST "{url}/api/v1/leads?lead_token={token}&caller_id=+18004506787&email=john@example.com"'


def create_app() -> Flask:
    """The application as the `flask` program finds it: with its commands, which no web process has to load."""
    app = app_factory.create_app()
    register(app)
    return app


def register(app: Flask) -> None:
    """Makes the commands known."""
    migrations.register(app)
    for command in (company_group, key_group, docs_group, demo):
        app.cli.add_command(command)
