"""The report on a process reward model: tables, pictures and a page."""
