"""The brand's own pages: `/b/{brand}/…`, for whoever is signed in and runs the brand."""
