"""The audio and the image network: their one description, what it folds to, and Keras models of it."""
