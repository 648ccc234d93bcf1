"""A module that cannot be imported: its text is not Python. (Compiled on import, so that linters need not see it.)"""

exec(compile("def broken(:\n    pass\n", __file__, "exec"))
