"""How an order, or a friend, came to count or not: read from what was recorded, told in the order of time."""
