"""The one exception this project raises on purpose."""


class StudyError(Exception):
    """Something the user can put right: names the file, row or key, what was expected, what to do."""
