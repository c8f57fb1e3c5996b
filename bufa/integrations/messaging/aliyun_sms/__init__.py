"""Alibaba Cloud SMS (dysmsapi 2017-05-25): sending from approved templates, receipts by push and by asking."""
