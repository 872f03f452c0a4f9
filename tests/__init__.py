"""What Handraiser promises, as tests, and what they stand on."""
