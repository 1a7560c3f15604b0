"""Published formulas: float64 arrays in, the same out; numpy only, no state, no units library."""
