"""From crops to probabilities."""
