"""The API against its own document: what OpenAPI says is what every answer is, whatever is sent."""
