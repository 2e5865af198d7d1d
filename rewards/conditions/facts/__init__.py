"""Where the attributes come from: one loader for each part of `rewards.conditions.dictionary`.

A loader gets the session and the subjects, and gives one dictionary per subject; what is None or left out has no value.
"""
