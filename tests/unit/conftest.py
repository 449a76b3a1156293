"""Rules tried with many examples are not timed: a busy machine is no finding. Each test begins without a cause.

Stripe's package is loaded whole, whichever test comes first: the gateway would load it without `requests`, and what
tests see of its client would hang on their order.
"""

import pytest
import stripe  # noqa: F401
from hypothesis import settings

from commerce.correlation import take_up

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def nothing_caused_it() -> None:
    """What a test before took up is not the cause of what happens in this one."""
    take_up(None)
