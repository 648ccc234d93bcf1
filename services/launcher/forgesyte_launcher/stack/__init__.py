"""Everything on one box: processes, ports, the data folder. Never imports a command."""
