"""The report of a model: one HTML page that a person can read without a network."""
