"""Consent: what visitors are shown before they agree to be contacted. Disclosures for now."""
