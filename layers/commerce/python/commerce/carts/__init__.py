"""Carts: what a buyer may want to buy, kept between visits."""
