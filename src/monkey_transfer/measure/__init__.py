"""What a study's predictions say: every run measured once, and what may be said of it."""
