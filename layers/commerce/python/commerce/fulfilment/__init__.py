"""Picking, packing, labels, shipping and tracking: how an order gets from the shelf to the buyer."""
