"""People who sign in on the web: what they may do for which brand, how they come in, and where they are signed in."""
