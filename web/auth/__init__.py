"""Signing in and out: passwords, passkeys, one-time links, sessions, and what keeps each of them honest."""
