"""The sandboxed process and the zygote it is forked from.

Never imports `parent`, nor anything that holds credentials.
"""
