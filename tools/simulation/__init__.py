"""The shop on in-process doubles of everything it calls, driven by a seed."""
