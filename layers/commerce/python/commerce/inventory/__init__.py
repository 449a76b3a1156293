"""Inventory: how many units of a SKU lie where, what is promised to whom, and why it changed."""
