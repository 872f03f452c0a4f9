"""Machines: the lead endpoints, what can be read back, what is managed, and the health of the process."""
