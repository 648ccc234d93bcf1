"""What every ForgeSyte process needs: settings, logs, the main loop, the ops port, keys, problems, store and bus.

Nothing in here knows a plugin, a route or a frame. All services depend on it; it never imports anything but contracts.
"""
