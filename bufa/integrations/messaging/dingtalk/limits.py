"""What a robot of a DingTalk group takes; whoever is faster is shut out for ten minutes."""

PER_MINUTE = 20
PER_SECOND = 0
MOST_BYTES = 18_000
BLOCKED_S = 600
