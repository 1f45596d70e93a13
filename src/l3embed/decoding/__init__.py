"""Files to blocks of samples, without ever holding a whole file."""
