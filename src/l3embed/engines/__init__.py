"""Where the parts of a packed run are computed: here, by Ray's workers, or by jobs of Slurm."""
