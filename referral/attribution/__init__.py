"""Whose an order is: the campaign's policy, the touches it saw, the shares of the credit, and every decision kept."""
