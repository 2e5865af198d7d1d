"""The demo: a believable brand with some months of history, and the stage where one can be Alice, Bob and the admin."""

MEMBERS = 160
"""How many members the history has unless one says otherwise."""
SEED = 7
