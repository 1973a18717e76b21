"""Labs: what is planned, and what is there."""
