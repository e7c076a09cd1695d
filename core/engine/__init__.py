"""What decides which process sees to which thread, and when."""
