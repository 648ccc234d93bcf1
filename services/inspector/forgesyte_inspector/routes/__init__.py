"""The public routes, a module a subject."""
