"""Many stores of one configuration that read as one: a manifest, the common state, and parts that never change."""
