"""What is published beside an export: a Croissant file and a dataset card."""
