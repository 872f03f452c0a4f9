"""The wire reader against what nobody would send: requests of the other tests, mutated, and judged by properties.

A mutation that reaches lines of `server/lib/wire.py` in a way that none has before joins the corpus (coverage-guided,
as fuzzers are, without a package that needs a compiler). What a run has found comes again with its seed:
`./dev test tests/fuzz --hypothesis-seed=…`.
"""
