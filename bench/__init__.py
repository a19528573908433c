"""Figures against other programs that do the same work, in the same run: `make bench`."""
