"""What may come of a claim, and of one reading of it."""

HOLDS, IF, NOT, UNKNOWN = "holds", "holds if", "does not hold", "cannot be judged"
YES, MAYBE, NO, OPEN = "yes", "within its range", "no", "not judged"
