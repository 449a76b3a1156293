"""A double of the part of EasyPost that the shop uses: `python -m tools.doubles.carrier`. See docs/carriers.md."""
