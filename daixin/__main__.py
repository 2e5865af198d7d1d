"""`python -m daixin`."""

from daixin.cli import app

app()
