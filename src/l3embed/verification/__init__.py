"""Whether l3embed computes here what the reference, openl3 0.4.2, computed elsewhere."""
