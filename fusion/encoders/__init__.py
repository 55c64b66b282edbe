"""Encoders turn samples into rows of a store: one frozen configuration and a state learned on training samples."""
