"""The plugin-runner: pulls jobs, claims them, runs them in sandboxes and keeps their records truthful.

This process never imports a plugin, a decoder or a numeric library: whatever media or plugin code does, it does in a
sandbox. What survives this process is what it wrote to the bus and to the store; everything else may be lost at any
moment.
"""
