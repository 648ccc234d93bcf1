"""What is known of one attempt, fed by the sandbox's messages. Never imports the bus or the store."""
