"""`/api/v1`: how a brand's own programs tell us of orders and refunds, and read what came of them."""
