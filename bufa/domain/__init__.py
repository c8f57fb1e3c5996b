"""The trade itself: pure decisions about parcels, money and cases. No framework, no clock, no I/O."""
