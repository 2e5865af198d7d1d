"""Shops that tell of their orders by themselves: `/hooks/<source>/<brand>`."""
