"""What the OpenAPI document says of the routes: request bodies, problems, examples. Never imports a route."""
