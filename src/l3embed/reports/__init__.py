"""What is made of an export: evaluation, tables, pictures and the report. Nothing here loads TensorFlow."""
