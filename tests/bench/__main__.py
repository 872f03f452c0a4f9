"""Runs the benchmark that the command line names."""

import sys
from importlib import import_module

BENCHES = ("intake", "million")


def main() -> None:
    """Hands the rest of the command line to the benchmark."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in BENCHES:
        sys.exit(f"There is no benchmark {name!r}. There are: {', '.join(BENCHES)}.")
    sys.exit(import_module(f"tests.bench.{name}").main(arguments))


if __name__ == "__main__":
    main()
