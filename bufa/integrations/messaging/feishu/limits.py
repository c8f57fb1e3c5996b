"""What a robot of a Feishu group takes: a body of 20 KB at most, of which the text is nearly all."""

PER_MINUTE = 100
PER_SECOND = 5
MOST_BYTES = 18_000
BLOCKED_S = 60
