"""The sandbox: the one child process in which media decoding and plugin code happen.

`parent` and `shared` never import a plugin, av, cv2, numpy or torch, and never unpickle; `child` is what runs on the
other side. Only framed, bounded, validated messages cross between the two.
"""
