"""Faults in the middle of real runs: whatever is killed, cut, refused or full, the next run makes it whole."""
