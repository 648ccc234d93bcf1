"""What both sides of the wall need: messages, limits, specs, process and kernel calls.

Never imports `parent`, `child` or a media library.
"""
