"""What keeps plugin code in: Landlock, a system-call filter, a uid of its own, limits. Built in each child before any
plugin import.

Never imports a program, `media/`, `parent` or a library beside the standard one.
"""
