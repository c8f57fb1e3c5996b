"""Messages that tell tracks, of whatever service they come from: kept answers and pushes, read without a connection."""

from bufa.integrations.feeds.recognise import recognise

__all__ = ["recognise"]
