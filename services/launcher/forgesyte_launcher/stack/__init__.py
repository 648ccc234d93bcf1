"""Everything on one machine: processes, ports, the data folder. Never imports commands or the client."""
