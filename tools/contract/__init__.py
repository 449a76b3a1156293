"""`make contract`: the same random requests go to the DynamoDB double and to a real engine; the answers must agree.

The double carries the simulation, so what it promises is compared with what an engine does. docs/contract.md says what
is sent, what is compared, and which differences are known.
"""
