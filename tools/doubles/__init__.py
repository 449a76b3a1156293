"""What a laptop cannot have: a card network and a parcel carrier, as small stateful HTTP servers.

The shop talks to them through the real clients (`stripe`, `easypost`), so nothing in it knows that they are doubles.
Standard library only, so that they start anywhere and at once.
"""
