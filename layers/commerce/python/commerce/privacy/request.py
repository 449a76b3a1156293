"""What staff send when a person asks about their data."""

from pydantic import Field

from commerce.contact import Email
from commerce.model import StaffModel
from commerce.privacy.model import Kind


class PersonRequestRequest(StaffModel):
    """Whose data, and what is wanted. `reference` is where the shop wrote down that they asked, and who they are."""

    # Wider than what checkout takes: who bought under an address that it refuses by now may ask as well.
    email: Email = Field(min_length=3, max_length=200)
    kind: Kind
    reference: str = Field(min_length=1, max_length=100)
