"""What produced the recorded results. The book can be read without it."""
