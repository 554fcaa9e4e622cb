"""What the router decides: who tells the class of a task, and who serves it."""
