"""What the end-to-end tests drive the server with; one module a noun."""
