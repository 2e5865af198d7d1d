"""Who is owed what."""
