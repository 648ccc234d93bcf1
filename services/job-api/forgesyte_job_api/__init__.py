"""The service that accepts media and jobs, answers for them, and sees to it that each one ends.

It decodes nothing and runs no plugin: media goes from the socket to the store byte for byte, and what a plugin can do
is known from the runners' heartbeats alone. Any number of replicas may run; none holds state that the bus and the
store could not give back.
"""
