"""The API at its border."""
