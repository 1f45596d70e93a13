"""How well classes can be told from embeddings."""
