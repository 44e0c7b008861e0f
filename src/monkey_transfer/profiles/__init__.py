"""What a profile may say. See ``docs/profiles.md``."""
