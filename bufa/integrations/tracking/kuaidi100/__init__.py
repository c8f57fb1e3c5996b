"""Kuaidi100 (快递100): query, subscription, push."""
