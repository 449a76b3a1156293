"""The shop on one machine: starts, fills, shows and stops it. `make help` lists what a developer types."""
