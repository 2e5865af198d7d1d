"""What points buy and rewards may be: vouchers, promo codes, platform goods, things that are posted, tickets."""
