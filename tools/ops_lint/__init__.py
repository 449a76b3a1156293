"""Operational rules over the synthesised templates: what a resource must have for a few people to run it."""
