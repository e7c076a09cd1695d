"""Bobbin as a program: the command line, what joins its parts, and a folder for each platform."""
