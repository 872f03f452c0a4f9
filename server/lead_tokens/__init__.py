"""Lead tokens: the credentials in `lead_token`, and the powers that each gives."""
