"""What is measured: one module for each row of the table, or for rows that are measured together."""
