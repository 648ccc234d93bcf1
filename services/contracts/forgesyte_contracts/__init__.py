"""The contract between ForgeSyte's services: names, records, codes and subjects.

Every other room imports from here. This room needs pydantic alone and never imports another room of ours. Nothing in
it has an effect: no connection, no clock, no file. Functions take a record and return a new record.
"""
