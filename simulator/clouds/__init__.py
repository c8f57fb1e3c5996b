"""Gateways of the vendors that send messages for money: Alibaba Cloud SMS and voice, Tencent Cloud SMS."""
