"""The built page of web-ui, beside the routes on the public port. Never imports the applications or the bus."""
