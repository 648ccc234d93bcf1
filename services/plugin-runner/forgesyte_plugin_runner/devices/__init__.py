"""The devices of this machine, and which one a job runs on. Never imports torch."""
