"""The pipeline's stages: functions from folders to folders, with plain arguments."""
