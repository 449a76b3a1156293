"""What the warehouse sends about goods that came back."""

from pydantic import Field

from commerce.model import StaffModel
from commerce.returns.model import ReturnedLine


class ReturnRequest(StaffModel):
    """What the warehouse found in the parcel, each line once."""

    lines: tuple[ReturnedLine, ...] = Field(min_length=1, max_length=100)
