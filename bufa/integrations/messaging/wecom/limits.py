"""What a robot of a WeCom group takes (developer.work.weixin.qq.com, path/91770)."""

PER_MINUTE = 20
PER_SECOND = 0
MOST_BYTES = 2048
BLOCKED_S = 60
