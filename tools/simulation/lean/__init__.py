"""The lean tier of the campaign: the use cases and repositories of orders, stock and money, without their wires.

What `tools.simulation` plays whole, from the HTTP event to the encoded item, is entered here one layer further in: the
use cases are called directly, and in the place of `commerce.adapters.dynamodb`, Stripe's gateway and the carrier's
stand doubles that speak Python values. Tests hold each of them to what it stands for. So a schedule costs a fiftieth.
"""
