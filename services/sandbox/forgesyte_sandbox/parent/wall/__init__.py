"""What an operator says about the wall, and whether what is in force is enough. Never imports a zygote or a run."""
