"""The service that accepts media and jobs, answers questions about them, and makes sure that each one ends.

It decodes nothing and runs no plugin: media goes from the socket to the store byte for byte, and the runners'
heartbeats say what a plugin can do. Any number of replicas may run; none holds state that cannot be
rebuilt from bus and store. Never imports a media library, a plugin or the sdk.
"""
