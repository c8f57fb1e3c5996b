"""The robot of a DingTalk group."""
