"""The nodes of `sleep_time`: what is wanted next, asking for it, and keeping it."""
