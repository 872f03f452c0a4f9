"""Schedules: the sequence of actions that a lead enters."""
