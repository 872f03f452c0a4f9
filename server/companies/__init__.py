"""Companies: the tenants, their people and their API keys."""
