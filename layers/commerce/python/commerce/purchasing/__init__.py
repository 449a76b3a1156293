"""Purchasing: from whom the shop buys, what it has ordered, and what of that has come."""
