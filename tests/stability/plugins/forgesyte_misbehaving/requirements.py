"""Plugins that lack something: a package, a GPU, a model file or the right one, seconds or memory that they ask for."""

from pathlib import Path

from forgesyte_sdk import ModelFile, PluginLimits, Requires

from .making import faulty

MODELS = Path(__file__).parent / "models"
NO_SUM = "0" * 64


def nothing():
    """Would work, if it had what it needs."""


def needs_model(plugin: str, file: str, **facts: str):
    model = ModelFile(name="weights", path=str(MODELS / file), **facts)
    return faulty(plugin, requires=Requires(models=(model,)))(nothing)


needs_package = faulty("needs-package", requires=Requires(packages=("no_such_package_anywhere",)))(nothing)
needs_gpu = faulty("needs-gpu", requires=Requires(gpu=True))(nothing)
asks_for_a_day = faulty("asks-for-a-day", limits=PluginLimits(frame_timeout_s=86_400))(nothing)
asks_for_a_tib = faulty("asks-for-a-tib", limits=PluginLimits(memory_bytes=1 << 40))(nothing)
model_missing = needs_model("model-missing", "missing.onnx")
model_empty = needs_model("model-empty", "empty.onnx")
model_5_bytes = needs_model("model-5-bytes", "five-bytes.onnx")
model_text = needs_model("model-text", "text.onnx")
model_wrong_sum = needs_model("model-wrong-sum", "good.onnx", sha256=NO_SUM)
model_folder = needs_model("model-folder", "folder.onnx")
model_good = needs_model("model-good", "good.onnx")
