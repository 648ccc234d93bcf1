"""The realtime gateway: sends what happens on the bus to the sockets of the clients that watch.

It keeps no state that it could not read again: what must arrive is in the job records, and live messages are worthless
a moment later. It decides nothing about a job, and a slow client never delays another one. It never imports another
service.
"""
