"""Results of single inputs, kept outside any project and found again by what they were computed from."""
