"""Fit the coefficients of the step time to measured rows, and score them on rows left out."""
