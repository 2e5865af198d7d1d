"""Who sits before the browser: signing in and out, sessions, passkeys, and what a session may do."""
