"""The stockroom: what is really on the shelves, and how the books are brought in step with it."""
