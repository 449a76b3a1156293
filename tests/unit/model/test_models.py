"""What every model of the shop holds to."""

import pytest
from pydantic import ValidationError

from commerce.contact import Buyer
from commerce.orders.model import Order


@pytest.mark.parametrize("model", [Buyer, Order], ids=["of a request", "of an item"])
def test_an_error_does_not_repeat_what_did_not_fit(model: type[Buyer] | type[Order]) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({"email": ["ada@example.com"], "buyer": "ada@example.com"})

    assert "ada@example.com" not in str(refused.value)
