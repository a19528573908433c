"""Reading secrets that the clouds hold already, against the local clouds."""
