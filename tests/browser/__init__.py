"""What a visitor's and an operator's browser really does."""
