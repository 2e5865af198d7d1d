"""Links, pages and the HTTP interface."""
