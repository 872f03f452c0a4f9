<<<<<<< HEAD
"""What the documentation says is so, and what it shows works."""
=======
"""The documentation: what it shows is what runs."""
>>>>>>> languages
