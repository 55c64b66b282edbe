"""Data, files and commands that tests of several rooms make."""
