"""Judges statements: what a record says of how to check it is read, asked and compared by `judge.judge`."""
