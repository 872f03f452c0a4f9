"""Machines: the lead endpoints, what can be read back, and the health of the process."""
