"""Reading each cloud's secrets, against the local clouds."""
