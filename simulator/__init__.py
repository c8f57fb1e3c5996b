"""The outside world, spoken to over the wire only: shop platform, tracking providers, carriers, customers.

Nothing here knows Bufa and Bufa knows nothing of it. Start it with ``python -m simulator``.
"""
