"""Reconciliation: finds what no event will ever tell, and mends it or calls a person."""
