"""The application as a WSGI server finds it."""

import gc

from server.app import create_app

app = create_app()

# What the start has made lives as long as the process: the collector need not look at it again.
gc.collect()
gc.freeze()
