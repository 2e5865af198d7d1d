"""A chat page and an embeddable widget over HTTP and server-sent events; needs no token and no other service."""
