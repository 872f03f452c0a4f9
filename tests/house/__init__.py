"""What holds for the project as a whole, rather than for one feature."""
