"""Leads: from a request to a row, and back."""
