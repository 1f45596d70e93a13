"""What an export holds: the manifest with its labels, pooled embeddings, and Parquet datasets."""
