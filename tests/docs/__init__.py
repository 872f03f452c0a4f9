"""The documentation: what it shows is what runs."""
