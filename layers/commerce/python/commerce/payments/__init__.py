"""Payments: an append-only list of typed events per order; balances are derived."""
