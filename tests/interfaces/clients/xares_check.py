"""X-ARES takes the encoder out of its module, makes it and checks it, as `xares.run` does before any task."""

from xares.audio_encoder_checker import check_audio_encoder
from xares.utils import attr_from_py_path

encoder = attr_from_py_path("l3embed.interfaces.xares", endswith="Encoder")()
print(encoder)
print("output_dim", encoder.output_dim, "hop_size_in_ms", encoder.hop_size_in_ms)
print("check_audio_encoder:", check_audio_encoder(encoder))
