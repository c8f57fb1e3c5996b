"""KDNiao (快递鸟): query, subscription, push."""
