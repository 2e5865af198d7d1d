"""`/campaign`: group admins launch and run campaigns."""
