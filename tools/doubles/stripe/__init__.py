"""A double of the part of Stripe that the shop uses: `python -m tools.doubles.stripe`. See docs/payments.md."""
