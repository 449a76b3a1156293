"""The lean tier of the campaign: the same flows on the same functions, entered behind their wires.

What `tools.simulation` plays whole, from the HTTP event to the encoded item, begins here with a parsed request and ends
at `commerce.adapters.dynamodb`, at the payment gateway and at the carrier's port: there stand doubles that speak Python
values. Tests hold each of them to what it stands for. A schedule costs a quarter.
"""
