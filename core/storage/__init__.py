"""The door to the database; SQLAlchemy passes through here only."""
