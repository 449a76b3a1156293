"""Measures what the shop costs: modules and time of a cold start, calls and dollars per order."""
