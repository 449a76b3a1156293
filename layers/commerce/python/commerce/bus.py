"""The bus that events leave on. Apart from the events themselves, so that the relay loads no models."""

SOURCE = "tradepost"
"""The `Source` of every entry on the bus."""
