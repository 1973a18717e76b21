"""Mobile and Remote Access whose Expressway-C reaches the Expressway-E by its public address."""
