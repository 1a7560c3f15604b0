"""The page on speed."""
