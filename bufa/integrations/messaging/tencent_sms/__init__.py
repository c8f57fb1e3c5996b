"""Tencent Cloud SMS (2021-01-11): sending from approved templates, receipts by push and by asking."""
