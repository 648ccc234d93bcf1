"""A module that can not be imported: its text is no Python. (Compiled on import, so that linters need not see it.)"""

exec(compile("def broken(:\n    pass\n", __file__, "exec"))
