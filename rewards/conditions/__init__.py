"""Conditions of plans: expressions, the attributes they may ask about, and where those come from."""
