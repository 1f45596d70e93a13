"""Embeddings of arrays and of files. Mirrors ``openl3.core``."""

from l3embed.core.audio import get_audio_embedding, preprocess_audio
from l3embed.core.audio_files import process_audio_file
from l3embed.core.image import get_image_embedding, process_image_file
from l3embed.core.outputs import get_output_path
from l3embed.core.stream import AudioEmbeddingStream
from l3embed.core.video import process_video_file
from l3embed.variants import SAMPLE_RATE_HZ as TARGET_SR

__all__ = [
    "TARGET_SR",
    "AudioEmbeddingStream",
    "get_audio_embedding",
    "get_image_embedding",
    "get_output_path",
    "preprocess_audio",
    "process_audio_file",
    "process_image_file",
    "process_video_file",
]
