"""The stages of a packed run: few, large files, whatever the number of inputs."""
