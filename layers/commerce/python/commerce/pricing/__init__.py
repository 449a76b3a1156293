"""Pricing: what a line, a cart, a checkout and an order cost."""
