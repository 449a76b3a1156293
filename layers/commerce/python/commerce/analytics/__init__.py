"""Analytics: every event of the shop as a row that SQL can ask about."""
