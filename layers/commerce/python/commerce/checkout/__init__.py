"""Checkout: from a cart to an order that is paid."""
