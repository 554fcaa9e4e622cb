"""Techniques, one file each, and the router."""
