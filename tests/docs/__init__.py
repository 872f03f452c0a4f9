"""What the documentation says is so, and what it shows works."""
