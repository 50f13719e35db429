"""How notices of observers read."""
