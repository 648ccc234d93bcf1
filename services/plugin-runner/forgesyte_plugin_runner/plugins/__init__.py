"""Which plugins this runner has and what state they are in: load, reload, blame. Never imports an attempt."""
