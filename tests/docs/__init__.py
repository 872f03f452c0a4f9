"""The documentation: what it says is so, and what it shows works."""
