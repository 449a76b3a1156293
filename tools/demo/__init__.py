"""The demonstration: a shopper, a warehouse and a carrier play orders to their end over HTTP."""
