"""What computes embeddings from the networks' inputs, and the one batch loop."""
