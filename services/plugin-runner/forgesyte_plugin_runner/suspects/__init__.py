"""Jobs that may have killed what runs them: where they run, and when. Never imports an attempt or what pulls."""
