"""How far energies and costs lie from published ones: what scripts/make_bills.py writes."""
