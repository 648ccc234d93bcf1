"""The endpoints: WebSockets and server-sent events. Never imports the application that holds them."""
