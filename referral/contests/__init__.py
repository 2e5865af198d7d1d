"""Contests: teams, standings, the frozen final and its revisions."""
