"""Payloads of other systems: which it is, what its values are called, which of them a lead needs. Pure."""
