"""Contacts: one number in one company, with its blocks and opt-outs."""
