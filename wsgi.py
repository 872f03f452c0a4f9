"""The application as a WSGI server finds it."""

import ctypes
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

# glibc would keep memory for each thread apart, and what a batch has freed in one place is no use in another: with 64
# threads that was a quarter of all the process held. It is glibc's M_ARENA_MAX; other libraries have no such places.
if hasattr(ctypes.CDLL(None), "mallopt"):
    ctypes.CDLL(None).mallopt(-8, 2)
