"""Catalogue: what the shop sells, under which name, at which price, and where it is listed."""
