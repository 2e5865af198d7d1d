"""What people are told unasked, in words, and how it gets to them."""
