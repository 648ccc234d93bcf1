"""Which plugins this runner has and how they are: look, load, reload, blame. Never imports an attempt."""
