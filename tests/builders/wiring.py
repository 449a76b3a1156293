"""What functions are wired with, in a process that serves many tests."""

from commerce.adapters import aws, environment, wiring


def forget() -> None:
    """Wiring keeps what it built for the life of a process; the next test finds an environment of its own."""
    for factory in (*vars(wiring).values(), aws.client, aws.session, environment.settings):
        if hasattr(factory, "cache_clear"):
            factory.cache_clear()
