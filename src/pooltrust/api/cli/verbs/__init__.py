"""The commands that do not follow from a declaration: files, questions, several calls."""
