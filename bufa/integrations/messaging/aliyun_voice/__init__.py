"""Alibaba Cloud voice (dyvmsapi 2017-05-25): a call that reads an approved text aloud, and how it went."""
