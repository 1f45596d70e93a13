"""Tables of inputs that lie anywhere, and how these are brought here."""
