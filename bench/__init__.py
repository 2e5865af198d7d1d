"""Speeds: each against the limit of what it stands on, measured in the same run (`./dev bench`)."""
