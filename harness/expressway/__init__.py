"""An Expressway's dial plan as data, its logic as functions, and the lines of its diagnostic log."""
