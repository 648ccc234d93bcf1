"""The sandbox: the one child process in which media decoding and plugin code happen.

`parent` and what it uses never import a plugin, av, cv2, numpy or torch and never unpickle; `zygote`, `child` and
`programs` are what runs on the other side. Only framed, bounded, validated messages cross between the two.
"""
