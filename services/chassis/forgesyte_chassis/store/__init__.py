"""Media, row segments and results in a folder or an object store. Never imports the bus or HTTP."""
