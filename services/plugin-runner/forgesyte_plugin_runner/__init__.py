"""The plugin-runner: pulls jobs, claims them, runs them in sandboxes and keeps their records correct.

This process never imports a plugin, a decoder or a numeric library: media and plugin code run only in a sandbox. Only
what it has written to the bus and to the store survives this process; everything else may be lost at any moment.

From top to bottom, each part importing only those below it: app; runner; dispatch, pulling, offers, heartbeat, gauges;
attempt; plugins; devices; the remaining modules here.
"""
