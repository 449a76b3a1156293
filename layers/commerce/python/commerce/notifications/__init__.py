"""Notifications: what buyers are told about their orders, by e-mail, and that they are told it once."""
