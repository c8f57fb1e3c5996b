"""The shop platform: gateway, authorisation, orders, after-sales, text messages, message push."""
