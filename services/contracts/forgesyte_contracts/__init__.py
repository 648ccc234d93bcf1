"""The wire truth: names, records, codes and subjects that ForgeSyte's services promise each other.

Every other room imports from here and this room imports nothing of ours; it needs pydantic alone. There is no
behaviour with an effect in it: no connection, no clock, no file. Functions take a record and give a new record.
"""
