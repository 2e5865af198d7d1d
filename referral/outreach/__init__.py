"""What is written to people unasked: to whom, how often, at which hours, and what became of it."""
