"""Contests' prizes: who wins what, given once at the final and set right by each revision."""
