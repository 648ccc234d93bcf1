"""The folders in the scratch folder of a warm sandbox, by their names."""

FROM_LOAD = "load"
"""The working, home and temporary folder while the plugin loads; what is written there stays as long as the sandbox."""

OF_JOB = "job"
"""The same for one job; empty when the job begins."""
