"""Outcomes: what became of leads. Calls for now; they roll up to the lead, its source and sub source."""
