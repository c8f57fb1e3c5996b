"""Who tells where a parcel is."""
