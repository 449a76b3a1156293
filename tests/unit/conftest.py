"""Rules that are tried with many examples are not timed: a busy machine is no finding."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
