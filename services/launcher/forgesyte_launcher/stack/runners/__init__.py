"""The runners of this machine as its supervisor sees them. Never imports the HTTP applications."""
