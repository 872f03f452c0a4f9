"""The application as a WSGI server finds it."""

from server.app import create_app

app = create_app()
