"""The lines that an Expressway and a CUCM write to their logs."""
