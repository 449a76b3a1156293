"""Orders: what was bought, what became of it, and what the buyer may see of it."""
