"""The robot of a Feishu group."""
