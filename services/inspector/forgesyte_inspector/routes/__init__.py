"""The public routes, one module per subject. Never imports the application that includes them."""
