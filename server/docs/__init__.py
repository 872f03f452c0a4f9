"""The API as a document: made of the routes, the schemas and the error codes that run, so that it cannot go stale."""
