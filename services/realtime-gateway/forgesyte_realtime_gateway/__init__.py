"""The realtime gateway: turns the bus into sockets.

It holds nothing that it can not ask for again: what must arrive stands in the records, what is live is worth nothing
later. It decides nothing about a job, and no slow client of it delays another.
"""
