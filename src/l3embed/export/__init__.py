"""What an export holds: the manifest with its labels, pooled embeddings, and all of them in their formats."""
