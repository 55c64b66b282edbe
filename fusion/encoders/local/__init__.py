"""Local functas: a sample as a pooled code of the small networks fitted to its overlapping windows."""
