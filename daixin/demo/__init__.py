"""The demo: a believable brand with some months of history, and the stage where one can be Alice, Bob and the admin."""
