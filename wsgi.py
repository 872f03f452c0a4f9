"""The application as a WSGI server finds it."""

import gc
import multiprocessing
import signal

# granian forks its workers with its own handler of SIGTERM in them, which sleeps through one that comes while they
# load; the stop would then wait until it kills them. Nothing is in flight yet: end at once.
if multiprocessing.parent_process() is not None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

from server.app import create_app

app = create_app()

# What the start has made lives as long as the process: the collector need not look at it again.
gc.collect()
gc.freeze()
# What a batch makes is nearly all in use until its end: to look it through again and again took a tenth of its time.
gc.set_threshold(10_000, *gc.get_threshold()[1:])
