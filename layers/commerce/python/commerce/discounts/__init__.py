"""Discounts: codes that buyers enter, what they take off, and how often they may be used."""
