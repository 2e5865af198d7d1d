"""`python -m daixin`."""

from daixin.cli import main

main()
