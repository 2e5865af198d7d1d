"""Transfers sealed in blocks, and the proof of a transfer that anybody can check."""
