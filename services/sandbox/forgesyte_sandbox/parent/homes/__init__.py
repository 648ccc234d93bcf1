"""Where sandboxes live: their folders, the uids that own them, and what is carried in and out.

Never imports a zygote, a run, or media libraries.
"""
