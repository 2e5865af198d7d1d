"""What leaves the books: withdrawals, points spent on items, item rewards handed over."""
