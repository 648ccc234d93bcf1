"""What no request asks for: lost work is sent again, hopeless jobs end, leftovers go. Never imports a route."""
