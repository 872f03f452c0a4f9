"""Benchmarks, one module each: `./dev bench <name>`. pytest collects none of them."""
