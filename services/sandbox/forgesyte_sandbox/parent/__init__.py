"""The side of the sandbox that services import: start, watch, judge and end children.

Never imports av, cv2, numpy, torch, a plugin or `child`.
"""
