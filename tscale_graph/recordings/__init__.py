"""Recordings: many samples of real models per question, kept, played back and simulated."""
