"""What is written whole or not at all: files that replace others, checksums, folders, tables and rows."""
