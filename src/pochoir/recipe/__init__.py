"""Settings of a run, and the record of what made a picture."""
