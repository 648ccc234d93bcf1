"""What holds for every test of the workspace, whichever member it belongs to.

The examples of hypothesis have no time limit, since how long one takes tells of the machine and not of the code; and
they are the same in every run, so that a run tells of the change and not of its luck.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
