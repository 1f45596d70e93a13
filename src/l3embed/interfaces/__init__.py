"""What other projects expect of an embedding: HEAR, X-ARES, MTEB, perch-hoplite and scikit-learn.

One thin module each, on l3embed's own functions; nothing else of the package knows them.
"""
