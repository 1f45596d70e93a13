"""OpenL3 in PyTorch: the networks as modules to train, to build into one's own, and to export.

`pip install 'l3embed[torch]'` brings PyTorch. Code that has nothing to do with PyTorch does not load this.
"""

try:
    import torch  # noqa: F401 (absolute: PyTorch, not this package)
except ModuleNotFoundError as error:
    if error.name != "torch":  # PyTorch is there, and lacks something itself
        raise
    raise ModuleNotFoundError(
        "l3embed.torch needs PyTorch, which is not installed: pip install 'l3embed[torch]'.", name="torch"
    ) from error

from l3embed.torch.module import OpenL3, load_audio_embedding_model, load_image_embedding_model

__all__ = ["OpenL3", "load_audio_embedding_model", "load_image_embedding_model"]
