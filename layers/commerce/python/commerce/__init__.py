"""Tradepost's domain: one package per bounded context, and the adapters that connect them to AWS."""
