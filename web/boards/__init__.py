"""Boards as browsers watch them: one look of this process for everybody who watches the same."""
