"""How far estimates lie from published runs and measured rows: what scripts/make_accuracy.py writes."""
