"""Sleep-time compute, pure: what a context is, what was prepared for it, and whether that pays."""
