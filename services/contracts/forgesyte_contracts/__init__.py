"""The shared contract: names, records, codes and subjects that ForgeSyte's services agree on.

Every other room imports from here; this package never imports another room and needs pydantic alone. Nothing in it has
a side effect: no connection, no clock, no file. Functions take a record and return a new one.
"""
