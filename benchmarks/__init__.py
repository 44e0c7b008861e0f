"""What is timed or simulated at length, against what; each module prints its figure on the last line."""
