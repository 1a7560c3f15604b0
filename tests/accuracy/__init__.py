"""The accuracy page: what its scripts work out, and that nothing leaks into a forecast."""
