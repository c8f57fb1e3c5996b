"""The outside world: the shop platform, tracking providers, carriers, SMS gateway and customers, spoken to over the wire only.

Nothing here knows Bufa and Bufa knows nothing of it. Start it with ``python -m simulator``.
"""
