"""Files as the decoder sees them: recognise, open, decode, turn upright. Never imports a program or a plugin."""
